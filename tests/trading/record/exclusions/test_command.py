"""`manage.py exclude_record`."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.trading.exclusion_record import aside, equity_key, record_alpha, trade_key
from trading.models import RecordExclusion, Trade
from trading.schema.exclusion import RecordKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def decision() -> RecordKey:
    return record_alpha()


def run(*arguments: str, **options: object) -> str:
    out = StringIO()
    call_command("exclude_record", *arguments, stdout=out, **options)
    return out.getvalue()


def test_it_sets_aside_and_says_what_that_did_to_the_figures() -> None:
    said = run("trade", trade_key(0).id, trade_key(1).id, reason="test orders", actor="ada")
    assert "Set aside 2 rows." in said
    *named, after = said_of(said, "net P&L")
    assert (named, Decimal(after)) == (["alpha", "net P&L, USD", "12.25"], Decimal(10))
    assert said_of(said, "trades ") == ["alpha", "trades", "3", "1"]
    assert {entry.actor for entry in RecordExclusion.objects.all()} == {"ada"}


def said_of(said: str, figure: str) -> list[str]:
    [line] = [line for line in said.splitlines() if f"  {figure}" in line]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_dry_run_needs_no_reason_and_writes_nothing() -> None:
    assert "Would set aside 1 row." in run("trades", trade_key(0).id, dry_run=True)
    assert not RecordExclusion.objects.exists()


def test_undo_includes_the_row_again() -> None:
    aside(trade_key(0))
    assert "Included 1 row again." in run("trade", trade_key(0).id, reason="it was right", undo=True)
    assert Trade.objects.get(pk=trade_key(0).id).exclusion_id is None


def test_a_row_set_aside_already_is_said_with_who_and_why() -> None:
    aside(trade_key(0))
    said = run("trade", trade_key(0).id, reason="again")
    assert "Set aside 0 rows." in said
    assert "set aside already by mei on" in said
    assert "wrong price" in said


def test_json_has_every_figure_before_and_after() -> None:
    found = json.loads(run("equity", equity_key(1).id, reason="a glitch", json=True))
    assert (found["action"], found["dry_run"], found["changed"]) == ("exclude", False, [equity_key(1).id])
    assert found["before"]["alpha"]["equity_points"] - found["after"]["alpha"]["equity_points"] == 1
    assert found["entries"][0]["reason"] == "a glitch"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["trade", "nothing"], {"reason": "why not"}, "there is no trade nothing in the record"),
        (["trade", trade_key(0).id], {}, "reason is required"),
        (["order", "1"], {"reason": "why not"}, "invalid choice"),
    ],
)
def test_what_is_wrong_is_refused(arguments: list[str], options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments, **options)
    assert not RecordExclusion.objects.exists()
