"""Positions of an idle fleet: valued at the last known price, with its moment, and never at 0."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.factories import make_trader, sync_traders
from tests.live_factories import ago, make_price
from tests.trading.export.record import add_equity, read
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.models import Trade
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.decision import Action, Decision, ModelAnswer
from trading.schema.position import Reported
from trading.schema.trade import Prices

pytestmark = pytest.mark.django_db


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    sync_traders(make_trader("ann"), make_trader("bob"))
    return Exporter(Options(tmp_path / "export"))


def held(exporter: Exporter, **parts: Any) -> dict[str, Any]:
    """The position of `ann` in BTC, as documents show it."""
    open_position(trader_id="ann", symbol="BTC", side=Side.SHORT, detail=make_position(**parts))
    exporter.cycle(analytics_seconds=None)
    row = next(row for row in read(exporter.options.root, "positions")["accountTotals"] if row["model_id"] == "ann")
    found: dict[str, Any] = row["positions"]["BTC"]
    return found


def sell_btc() -> tuple[Decimal, int]:
    """Of another trader: (price, moment in ms)."""
    trade = make_trade("bob", symbol="BTC", open_ms=OPENED_MS + HOUR_MS)
    record_trade(trade)
    return Decimal(trade.detail.prices.avg_exit), trade.close_ts_ms


def test_an_idle_position_is_valued_at_what_the_symbol_was_last_sold_for(exporter: Exporter) -> None:
    price, at_ms = sell_btc()
    found = held(exporter)

    assert (found["current_price"], found["price_is_stale"], found["price_timestamp"]) == (price, True, at_ms)
    assert found["unrealized_pnl"] == found["quantity"] * (price - found["entry_price"])


def test_what_was_reported_later_stands(exporter: Exporter) -> None:
    _price, at_ms = sell_btc()
    found = held(exporter, reported=Reported(current_price=Decimal(100), unrealized_pnl=Decimal(7), at_ms=at_ms + 1))

    assert (found["current_price"], found["unrealized_pnl"], found["price_timestamp"]) == (100, 7, at_ms + 1)


def test_without_any_price_nothing_is_said(exporter: Exporter) -> None:
    found = held(exporter, reported=Reported(current_price=Decimal(0), unrealized_pnl=Decimal("0.00")))

    assert (found["current_price"], found["unrealized_pnl"]) == (None, None)
    assert "price_is_stale" not in found


def test_a_fresh_price_is_not_marked(exporter: Exporter) -> None:
    store.write(PRICE, {"BTC": make_price(price="44000")})
    found = held(exporter)

    assert found["current_price"] == 44000
    assert "price_is_stale" not in found


def test_reasons_of_decisions_come_before_the_raw_answer(exporter: Exporter) -> None:
    decision = Decision(symbol="BTC", action=Action.HOLD, reasoning="The trend is intact.")
    raw = '{"BTC": {"signal": "hold"}}'
    record_decision(make_entry("ann", decisions=(decision,), answer=ModelAnswer(text=raw)))
    exporter.cycle(analytics_seconds=None)

    (item,) = read(exporter.options.root, "conversations")["conversations"]
    assert (item["cot_trace"], item["summary"]) == ("The trend is intact.", "The trend is intact.")
    assert raw in [message["content"] for message in item["messages"]]


def test_the_benchmark_goes_on_at_the_last_known_price_and_says_of_when_it_is(exporter: Exporter) -> None:
    first, began_ms = sell_btc()
    prices = Prices(avg_entry=Decimal(49_000), avg_exit=Decimal(50_000))
    record_trade(make_trade("bob", symbol="BTC", open_ms=OPENED_MS + 4 * HOUR_MS, prices=prices))
    sold_ms = Trade.objects.latest("close_ts_ms").close_ts_ms
    add_equity("ann", sold_ms + 30 * HOUR_MS, 1000)
    exporter.cycle(analytics_seconds=None)

    *_, newest = benchmark(exporter)
    assert newest["timestamp"] * 1000 == sold_ms + 30 * HOUR_MS
    assert newest["dollar_equity"] == round(10_000 * 50_000 / first, 2)
    held = newest["positions"]["BTC"]
    assert (held["current_price"], held["price_is_stale"], held["price_timestamp"]) == (50_000, True, sold_ms)
    assert began_ms < sold_ms


def test_a_price_of_a_feed_that_stopped_is_the_last_known_one(exporter: Exporter) -> None:
    sell_btc()
    stopped = make_price("60000", as_of=ago(7200))
    store.write(PRICE, {"BTC": stopped})
    add_equity("ann", stopped.as_of // 1000 + HOUR_MS, 1000)
    exporter.cycle(analytics_seconds=None)

    *_, newest = benchmark(exporter)
    held = newest["positions"]["BTC"]
    assert (held["current_price"], held["price_timestamp"]) == (60_000, stopped.as_of // 1000)


def test_the_benchmark_at_a_fresh_price_is_not_marked(exporter: Exporter) -> None:
    sell_btc()
    store.write(PRICE, {"BTC": make_price(price="44000")})
    exporter.cycle(analytics_seconds=None)

    *_, newest = benchmark(exporter)
    assert newest["positions"]["BTC"]["current_price"] == 44_000
    assert "price_is_stale" not in newest["positions"]["BTC"]


def benchmark(exporter: Exporter) -> list[dict[str, Any]]:
    rows = read(exporter.options.root, "account-totals")["accountTotals"]
    return [row for row in rows if row["model_id"] == "buynhold_btc"]
