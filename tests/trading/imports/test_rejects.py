from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from trading.management.rejects import Rejects, exit_code
from trading.schema.reject import Reject


def test_an_import_without_rejects_makes_no_file_and_keeps_an_earlier_one(tmp_path: Path) -> None:
    with Rejects(tmp_path / "new.jsonl") as rejects:
        pass
    (tmp_path / "old.jsonl").write_text("{}\n")
    with Rejects(tmp_path / "old.jsonl"):
        pass

    assert list(tmp_path.iterdir()) == [tmp_path / "old.jsonl"]
    assert list(rejects.lines()) == []
    assert rejects.facts() == {"refused": 0, "rejects_file": None, "rejects": []}


def test_each_reject_is_a_line_of_json_even_for_what_json_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    record = {"price": float("nan"), "size": Decimal("Infinity"), "list": [(1, "\udc80")]}
    with Rejects(path) as rejects:
        rejects.add(Reject("trades.json", "must be a number", index=3, field="price", record=record))

    line = json.loads(path.read_text())
    assert (line["file"], line["index"], line["field"]) == ("trades.json", 3, "price")
    assert line["record"]["price"] == "nan"
    assert line["record"]["size"] == "Infinity"
    assert next(rejects.lines()) == "refused    trades.json[3]: price must be a number"


def test_the_screen_shows_the_first_and_says_how_many_more(tmp_path: Path) -> None:
    with Rejects(tmp_path / "r.jsonl") as rejects:
        for number in range(1_025):
            rejects.add(Reject(f"cycle_{number}.json", "is not JSON"))

    lines = list(rejects.lines())
    assert len(lines) == 22
    assert lines[-2:] == ["refused    and 1,005 more", f"All that was refused is in {tmp_path / 'r.jsonl'}."]
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1_025


def test_the_exit_code_tells_some_from_nothing() -> None:
    assert exit_code(accepted=5, refused=0) == 0
    assert exit_code(accepted=0, refused=0) == 0
    assert exit_code(accepted=5, refused=1) == 3
    assert exit_code(accepted=0, refused=1) == 1


def test_a_directory_is_refused_before_the_import_begins(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), Rejects(tmp_path):
        raise AssertionError("it began")
