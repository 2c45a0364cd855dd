"""Rows of the record are looked up with their trader, whatever is known of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.trading.bad_rows import CLOSED_MS, trade_detail
from tests.trading_factories import make_entry, make_position, make_trade
from trading.models import DecisionJournal, Position, Trade
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.ids import decision_name, read_decision_name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("traders")]
TRADER = "steady_long"


@pytest.fixture
def trade() -> str:
    made = make_trade()
    record_trade(made)
    return made.id


def asked(work: Any) -> list[str]:
    with CaptureQueriesContext(connection) as found:
        work()
    return [query["sql"] for query in found]


def test_the_id_of_a_trade_names_its_trader(trade: str) -> None:
    assert Trade.objects.owners([trade]) == {trade: TRADER}
    assert Trade.objects.one(trade) == Trade.objects.get()
    assert all('"trader_id" IN' in sql for sql in asked(lambda: Trade.objects.one(trade)))


def test_a_caller_that_knows_the_trader_asks_once(trade: str) -> None:
    statements = asked(lambda: Trade.objects.one(trade, TRADER))

    assert len(statements) == 1
    assert '"trader_id" IN' in statements[0]


def test_a_row_of_another_trader_is_not_found(trade: str) -> None:
    assert Trade.objects.one(trade, "nobody") is None


def test_an_id_that_another_program_made_is_found_all_the_same() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades (id, symbol, side, close_ts_ms, detail, trader_id)"
            " VALUES (%s, 'BTC', 'long', %s, %s, %s)",
            ["sql|1", CLOSED_MS, json.dumps(trade_detail()), TRADER],
        )

    assert Trade.objects.one("sql|1") == Trade.objects.get()
    assert Trade.objects.owners(["sql|1"]) == {"sql|1": TRADER}
    assert Trade.objects.one("sql|1", "sql") is None


def test_positions_and_decisions_are_found_by_name_and_number() -> None:
    position = open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())
    decision = record_decision(make_entry())

    assert Position.objects.one(position.id) == Position.objects.get()
    assert DecisionJournal.objects.one(decision.id) == DecisionJournal.objects.one(decision.id, TRADER)
    assert DecisionJournal.objects.get().name == decision.name == f"{TRADER}|{decision.id}"
    assert [*DecisionJournal.objects.named([decision.id, decision.id + 1], [TRADER])] == [DecisionJournal.objects.get()]


def test_what_no_column_can_hold_is_no_row(trade: str) -> None:
    assert Trade.objects.one("steady_long|\0") is None
    assert DecisionJournal.objects.one(10**30) is None
    assert list(Trade.objects.named([trade, "\0"])) == [Trade.objects.get()]
    assert list(Trade.objects.named([])) == []


@pytest.mark.parametrize("name", ["7", "steady_long|7"])
def test_a_decision_is_named_with_its_trader_or_by_its_number(name: str) -> None:
    trader_id, number = read_decision_name(name)

    assert number == 7
    assert name == (decision_name(trader_id, number) if trader_id else "7")


@pytest.mark.parametrize("name", ["", "|7", "steady_long|", "steady_long", "-1", "7.0", "٧", "1" * 30, "a|b|"])
def test_what_names_no_decision_is_refused_with_what_would_be_right(name: str) -> None:
    with pytest.raises(ValueError, match=r"TRADER\|NUMBER, was"):
        read_decision_name(name)
