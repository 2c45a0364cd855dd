"""Equity is stored with its realized and unrealized part: as it was given, else as trades, parts and prices tell."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.trading.arena_sample import OPENED, trade, write, write_trades
from trading.live import services as live
from trading.models import EquitySnapshot
from trading.record.writing.equity import fill_parts
from trading.schema.live_store.values import US_PER_MS, Price

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

MINUTE = 60_000
TRADER = "/traders/steady_long"
POSITIONS, EQUITY = f"{TRADER}/positions", f"{TRADER}/equity"
Parts = Any


def now_ms() -> int:
    return int(time.time() * 1000)


def opened(engine: Engine, ms: int, **entry: Any) -> None:
    """Buys 3 at 100 for a fee of 0.135."""
    whole = {"price": 100, "quantity": 3, "time_ms": ms, "commission": Decimal("0.135")} | entry
    assert engine.put(POSITIONS, {"symbol": "BTC", "side": "long", "entry": whole}).status == 200


def at(engine: Engine, ms: int, **given: Any) -> Parts:
    """(realized, unrealized) of equity that is reported."""
    point = {"ts_ms": ms, "equity_usd": Decimal("10011.865")} | given
    assert engine.put(EQUITY, {"points": [point]}).status == 200
    return stored(ms)


def stored(ms: int) -> Parts:
    row = EquitySnapshot.objects.get(ts_ms=ms)
    return row.realized_pnl_usd, row.unrealized_pnl_usd


def priced(price: int, age_seconds: float = 0) -> None:
    as_of = round(time.time() * 1000 - age_seconds * 1000) * US_PER_MS
    live.quoted({"BTC": Price(as_of, Decimal(price))})


def test_fees_count_at_once_and_gains_at_the_price_of_now(engine: Engine) -> None:
    """Start 10,000; buy 3 @ 100, fee 0.135; mark 104: realized -0.135, unrealized 12, equity 10,011.865."""
    opened(engine, now_ms() - MINUTE)
    priced(104)

    realized, unrealized = at(engine, now_ms())

    assert (realized, unrealized) == (Decimal("-0.135"), 12)
    assert 10_000 + (realized or 0) + (unrealized or 0) == Decimal("10011.865")


def test_what_the_engine_says_stands(engine: Engine) -> None:
    opened(engine, now_ms() - MINUTE)
    priced(104)

    assert at(engine, now_ms(), realized_pnl=5, total_unrealized_pnl=7) == (5, 7)
    assert at(engine, now_ms() + 1, total_unrealized_pnl=7) == (Decimal("-0.135"), 7)


@pytest.mark.parametrize("age_seconds", [None, 60.0])
def test_without_a_fresh_price_the_unrealized_part_is_not_known(engine: Engine, age_seconds: float | None) -> None:
    opened(engine, now_ms() - MINUTE)
    if age_seconds is not None:
        priced(104, age_seconds)

    assert at(engine, now_ms()) == (Decimal("-0.135"), None)


def test_parts_that_were_closed_count_at_once(engine: Engine) -> None:
    """Buy 3 @ 100, sell 1 @ 110, buy 2 @ 120, sell 4 @ 115: realized +10, then +20; with each fee and the funding."""
    ms = now_ms() - 10 * MINUTE
    opened(engine, ms, commission=1)
    part = {"price": 110, "quantity": 1, "at_ms": ms + MINUTE, "commission": 2, "funding": Decimal("0.5")}
    engine.post(f"{POSITIONS}/BTC/reduce", part)
    engine.post(f"{POSITIONS}/BTC/increase", {"price": 120, "quantity": 2, "at_ms": ms + 2 * MINUTE, "commission": 3})

    seen = [at(engine, ms + half * MINUTE // 2)[0] for half in (-1, 0, 1, 2, 3, 5)]
    close = {"symbol": "BTC", "price": 115, "closed_at_ns": (ms + 3 * MINUTE) * 10**6}
    last = {"type": "exit", "price": 115, "quantity": 4, "commission": 4, "ts_ms": ms + 3 * MINUTE}
    assert engine.post(f"{POSITIONS}/close", close | {"fills": [last]}).status == 200
    after = [at(engine, ms + half * MINUTE // 2 + 1) for half in (1, 3, 5, 6)]

    assert seen == [0, -1, -1, Decimal("7.5"), Decimal("7.5"), Decimal("4.5")]
    # The fills of a trade do not say when funding was paid.
    assert [one[0] for one in after[:2]] == [-1, 7]
    assert after[-1] == (Decimal("20.5"), 0)


def test_a_price_of_now_values_nothing_of_the_past(engine: Engine) -> None:
    ms = now_ms() - 5_000
    opened(engine, ms)
    engine.post(f"{POSITIONS}/BTC/reduce", {"price": 110, "quantity": 1, "at_ms": ms + 3_000})
    priced(104)

    assert at(engine, ms + 1_000) == (Decimal("-0.135"), None)
    assert at(engine, ms + 4_000) == (Decimal("9.865"), 8)
    assert at(engine, ms - 10 * MINUTE) == (0, 0)


def test_of_a_trader_without_trades_and_positions_nothing_is_said(engine: Engine) -> None:
    assert at(engine, now_ms()) == (None, None)


def test_an_import_derives_them_from_its_trades(db: None, tmp_path: Path) -> None:
    write_trades(tmp_path, trade(1))
    began = {"model_id": "amber-7b", "nav_since_inception": 10000, "inception_date": OPENED - 60}
    write(tmp_path, "since-inception-values.json", "sinceInceptionValues", [began])
    write(tmp_path, "leaderboard.json", "leaderboard", [{"id": "amber-7b", "equity": 10022.25}])

    call_command("import_arena", str(tmp_path), "--json", "--rejects", str(tmp_path / "rejects.jsonl"))

    found = list(EquitySnapshot.objects.order_by("ts_ms").values_list("realized_pnl_usd", "unrealized_pnl_usd"))
    assert found == [(0, 0), (Decimal("22.25"), 0)]


def test_points_that_came_before_their_trades_are_filled_later(engine: Engine) -> None:
    ms = now_ms() - 10 * MINUTE
    assert at(engine, ms + MINUTE) == (None, None)
    opened(engine, ms)

    assert fill_parts(["steady_long", "swift_short"]) == 1

    assert stored(ms + MINUTE) == (Decimal("-0.135"), None)
