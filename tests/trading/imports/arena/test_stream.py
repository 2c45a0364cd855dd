"""Files are read a piece at a time: what is read never depends on where a piece ends."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.imports.arena import stream
from trading.imports.arena.document import ArenaDocument
from trading.imports.arena.stream import AmbiguousRecord
from trading.imports.arena.unreadable_file import UnreadableArenaFile

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([Decimal("0.10"), Decimal("-1E+3")]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(path: Path, key: str = "trades") -> tuple[list[Any], ArenaDocument]:
    document = ArenaDocument(path, key, lambda count: None)
    return [record for _index, record in document], document


@pytest.fixture(params=[1, 2, 3, 7, 64, 1 << 18])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(stream, "PIECE", request.param)
    return int(request.param)


def test_numbers_literals_and_texts_survive_any_piece(tmp_path: Path, piece: int) -> None:
    values = '1234567,-0.00012,1e5,true,false,null,"\\u00e9\\ud83d\\ude00é😀\\n",{"a":[{}]}'
    text = f'{{"serverTime":17,"trades":[{values}],"x":[{{}}]}}'
    (tmp_path / "t.json").write_text(text, encoding="utf-8")

    records, document = read(tmp_path / "t.json")
    assert records == [1234567, Decimal("-0.00012"), Decimal("1E+5"), True, False, None, "é😀é😀\n", {"a": [{}]}]
    assert [type(record) for record in records[:3]] == [int, Decimal, Decimal]
    assert document.server_time == 17


@pytest.mark.parametrize("cut", [20, 40, 60, 70])
def test_a_cut_file_is_told_whatever_the_piece(tmp_path: Path, piece: int, cut: int) -> None:
    text = '{"trades": [\n {"id": "a", "n": 1.5, "b": true},\n {"id": "b", "n": 2.5}]}'
    (tmp_path / "t.json").write_text(text[:cut])

    with pytest.raises(UnreadableArenaFile, match=r"t\.json:\d+:\d+: .*cut short"):
        read(tmp_path / "t.json")


def test_the_place_of_a_fault_is_exact_whatever_the_piece(tmp_path: Path, piece: int) -> None:
    (tmp_path / "t.json").write_text('{"trades": [\n {"id": 1},\n {"id": 2, oops}\n]}')
    with pytest.raises(UnreadableArenaFile, match=r"t\.json:3:12: is not JSON"):
        read(tmp_path / "t.json")

    (tmp_path / "t.json").write_bytes(b'{"trades": [\n {"id": 1},\n {"id": "\xe9"}\n]}')
    with pytest.raises(UnreadableArenaFile, match=r"t\.json:3:10: is not UTF-8"):
        read(tmp_path / "t.json")


def test_a_byte_order_mark_is_let_pass(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(b'\xef\xbb\xbf{"trades": [1]}')
    assert read(tmp_path / "t.json")[0] == [1]


def test_a_record_beyond_all_measure_stops_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PIECE", 1000)
    monkeypatch.setattr(stream, "LARGEST_RECORD", 10_000)
    (tmp_path / "t.json").write_text('{"trades": ["' + "x" * 50_000 + '"]}')
    with pytest.raises(UnreadableArenaFile, match="a record of more than"):
        read(tmp_path / "t.json")


@given(records=st.lists(VALUES, max_size=5), indent=st.none() | st.integers(0, 3), piece=st.integers(1, 40))
def test_what_json_writes_is_what_is_read(tmp_path: Path, records: list[Any], indent: int | None, piece: int) -> None:
    plain = json.loads(json.dumps(records, default=str))
    (tmp_path / "t.json").write_text(json.dumps({"a": {"b": [1]}, "trades": plain, "z": [[]]}, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "PIECE", piece)
        assert read(tmp_path / "t.json")[0] == plain


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ('{"id": 1, "n": 2, "id": 3}', ("", "id")),
        ('{"id": 1, "plan": {"stop": 1, "stop": 1}}', ("plan", "stop")),
        ('{"messages": ["x", {"role": "user", "role": "system"}]}', ("messages.1", "role")),
        ('{"a": {"b": 1, "b": 2}, "a": 3}', ("", "a")),
        ('[{"": 1, "": 2}]', ("0", "")),
        ('{"\\ud800": 1, "\\ud800": 2}', ("", "\ud800")),
    ],
)
def test_a_record_that_gives_a_key_twice_is_marked_alone(
    tmp_path: Path, piece: int, record: str, place: tuple[str, str]
) -> None:
    good = '{"id": 1, "plan": {"id": 2}, "rest": [{"id": 3}, {"id": 3}]}'
    (tmp_path / "t.json").write_text(f'{{"trades": [{good}, {record}, {good}]}}')

    first, marked, last = read(tmp_path / "t.json")[0]
    assert first == last == json.loads(good)
    assert type(first) is type(last) is dict
    assert isinstance(marked, AmbiguousRecord)
    assert (marked.place, marked.key) == place


@pytest.mark.parametrize("key", ["trades", "serverTime"])
def test_a_file_that_gives_a_key_twice_is_not_read(tmp_path: Path, piece: int, key: str) -> None:
    values = {"trades": "[1]", "serverTime": "17"}
    text = ", ".join(f'"{name}": {value}' for name, value in [*values.items(), (key, values[key])])
    (tmp_path / "t.json").write_text(f"{{{text}}}")

    with pytest.raises(UnreadableArenaFile, match=f"holds the key '{key}' twice"):
        read(tmp_path / "t.json")
