from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from nof0site.acceptance.lines import LINES


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, output)."""
    out = StringIO()
    try:
        call_command("acceptance", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def run_json(*arguments: str) -> tuple[int, dict[str, Any]]:
    code, text = run("--json", *arguments)
    return code, json.loads(text)


def drop_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP INDEX idx_trades_time")


def test_the_table_says_each_line_its_figure_and_its_verdict(sample: None) -> None:
    code, text = run()

    assert code == 0
    assert "Phase 3: tables of PostgreSQL" in text
    assert "PASS" in text
    assert "PROVEN ELSEWHERE" in text
    assert [line.id for line in LINES if f"  {line.id} " not in text] == []
    assert text.rstrip().endswith("Nothing was written.")


def test_a_fail_ends_with_1_and_says_what_to_do(sample: None) -> None:
    drop_index()
    code, text = run("--only", "P7.3")

    assert code == 1
    assert "FAIL" in text
    assert "do:  Make the index again: idx_trades_time." in text


def test_only_measures_the_lines_that_are_named(sample: None) -> None:
    code, found = run_json("--only", "P4", "--only", "p7.3")

    assert code == 0
    assert [line["id"] for line in found["lines"]] == ["P4.1", "P4.2", "P7.3"]


def test_json_is_one_object(sample: None) -> None:
    drop_index()
    code, found = run_json("--only", "P7", "--only", "P3.2")

    assert code == 1
    assert found["passed"] is False
    assert found["verdicts"]["fail"] == len([line for line in found["lines"] if line["verdict"] == "fail"]) > 0
    by_id = {line["id"]: line for line in found["lines"]}
    assert set(by_id["P7.3"]) == {
        *("id", "phase", "claim", "target", "figure", "verdict", "why", "then", "proofs", "seconds")
    }
    assert by_id["P7.3"]["then"].startswith("Make the index again: idx_trades_time")
    assert by_id["P3.2"]["verdict"] == "proven elsewhere"
    assert len(by_id["P3.2"]["proofs"]) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "P9"], "There is no phase or line P9. Use one of P1, P2"),
        (["--limit", "0"], "must be a number of seconds above 0"),
        (["--limit", "soon"], "must be a number of seconds above 0"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*arguments)
