"""Exports are the filtered set, whole and exact, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import StringIO
from itertools import islice
from typing import Any

import pytest
from django.test import Client

from tests.trading.bad_rows import add_decision, decision_detail
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.models import Trade
from trading.record.stored.symbols import add
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import ExitPlan, Origin, Side
from trading.schema.leaf import leaves_of
from trading.schema.trade import TradeDetail

TRADES = "/admin/trading/trade/"
EXACT = Decimal("-0.100000000000000000001")


@pytest.fixture
def trades(traders: None) -> None:
    add(["BTC", "ETH"])
    for number in range(12):
        net = EXACT if number == 5 else Decimal(number)
        symbol = "ETH" if number % 3 else "BTC"
        record_trade(
            make_trade(open_ms=OPENED_MS + number // 2 * HOUR_MS, symbol=symbol, net=net)
            if number % 2
            else make_trade("quick_short", open_ms=OPENED_MS + number * HOUR_MS, symbol=symbol, net=net)
        )


def sent(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.streaming
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer).decode()
    assert text.startswith("\ufeff") == ("csv" in url)
    return text.removeprefix("\ufeff")


def table(client: Client, url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(sent(client, url))))


@pytest.mark.usefixtures("trades")
@pytest.mark.parametrize("query", ["", "trader=quick_short", "symbol=ETH", "outcome=loss"])
def test_a_file_is_what_the_list_shows(viewer: Client, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.record.browse.queries.BATCH", 5)
    shown = [row.id for row in viewer.get(f"{TRADES}?{query}").context["cl"].result_list]

    assert shown
    assert [row["id"] for row in table(viewer, f"{TRADES}export/csv/?{query}")] == shown
    assert [row["id"] for row in json.loads(sent(viewer, f"{TRADES}export/json/?{query}"))] == shown


@pytest.mark.usefixtures("trades")
def test_every_leaf_is_a_column_and_every_digit_is_there(viewer: Client) -> None:
    row = table(viewer, f"{TRADES}export/csv/?outcome=loss")[0]

    paths = {leaf.path.partition("[]")[0] for leaf in leaves_of(TradeDetail)}
    assert set(row) == {"close_ts_ms", "id", "trader_id", "symbol", "side"} | paths
    assert row["detail.pnl.net"] == "-0.100000000000000000001", "a number is no formula"
    assert json.loads(row["detail.fills"])[0]["fill_id"] == 1

    stored: Any = Trade.objects.get(pk=row["id"]).detail
    read = json.loads(sent(viewer, f"{TRADES}export/json/?outcome=loss"), parse_float=Decimal)[0]
    assert read["detail"] == stored
    assert read["detail"]["pnl"]["net"] == EXACT


def test_a_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(viewer: Client) -> None:
    plan = ExitPlan(invalidation_condition='=HYPERLINK("x")')
    record_trade(make_trade(exit_plan=plan, origin=Origin(system="@arena", id="-1+1")))

    row = table(viewer, f"{TRADES}export/csv/")[0]
    assert row["detail.exit_plan.invalidation_condition"] == '\'=HYPERLINK("x")'
    assert (row["detail.origin.system"], row["detail.origin.id"]) == ("'@arena", "'-1+1")


def test_positions_and_decisions_are_exported_too(viewer: Client) -> None:
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    decision = record_decision(make_entry())

    assert table(viewer, "/admin/trading/position/export/csv/")[0]["detail.entry.price"] == "45000.50"
    row = table(viewer, "/admin/trading/decisionjournal/export/csv/")[0]
    assert (row["id"], row["success"], row["decided_at"]) == (str(decision.id), "true", "2026-01-08T10:30:00+00:00")
    read = json.loads(sent(viewer, "/admin/trading/decisionjournal/export/json/"))[0]
    assert read["detail"]["decisions"][0]["symbol"] == "BTC"


@pytest.mark.parametrize("moment", ["-infinity", "infinity", "20000-01-01", "0044-03-15 BC"])
def test_decisions_of_a_time_that_python_cannot_hold_are_each_exported_once(
    viewer: Client, traders: None, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.record.browse.queries.BATCH", 2)
    numbers = [add_decision("steady_long", decision_detail(), decided_at=moment) for _ in range(5)]
    numbers.append(str(record_decision(make_entry()).id))

    lines = viewer.get("/admin/trading/decisionjournal/export/csv/")
    found = list(csv.DictReader(StringIO(b"".join(islice(lines, 20)).decode().removeprefix("\ufeff"))))
    assert sorted(row["id"] for row in found) == sorted(numbers)


def test_an_empty_file_has_its_heads(viewer: Client) -> None:
    assert sent(viewer, f"{TRADES}export/csv/").startswith(
        "close_ts_ms,id,trader_id,symbol,side,detail.time.open_ts_ms"
    )
    assert json.loads(sent(viewer, f"{TRADES}export/json/")) == []


def test_what_cannot_be_asked_leads_back_to_the_list(viewer: Client) -> None:
    answer = viewer.get(f"{TRADES}export/csv/?version=2")
    assert (answer.status_code, answer["Location"]) == (302, f"{TRADES}?version=2")
    assert viewer.get(f"{TRADES}export/xml/").status_code == 404
