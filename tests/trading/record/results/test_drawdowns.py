"""The drawdown of a version: of the equity that it began with and what the positions earned that it opened."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from tests.factories import make_trader, save_edit, sync_traders
from tests.trading_factories import HOUR_MS, make_position, make_trade
from traders.models import TraderConfigVersion
from trading.live import services as live
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.results.queries import BEFORE_V1, VersionDrawdown, drawdowns
from trading.record.stored.equity.bases import BASES, BEGAN, GIVEN
from trading.record.writing import parts, positions
from trading.record.writing.trades import record_trade
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.live_store.values import US_PER_MS, Price
from trading.schema.position import Entry
from trading.schema.trade import Fill, FillType

pytestmark = pytest.mark.django_db
TRADER = "steady_long"


@pytest.fixture(autouse=True)
def _two_versions() -> None:
    sync_traders(make_trader())
    save_edit(TRADER, detail__risk__max_positions=2)


def began_ms(version: int) -> int:
    since = TraderConfigVersion.objects.get(id=TRADER, version=version).history_date
    return int(since.timestamp() * 1000)


def equity(ms: int, usd: int) -> None:
    EquitySnapshot.objects.create(trader_id=TRADER, ts_ms=ms, equity_usd=usd)


def closed(net: int, hour: int, version: int | None = 2, **parts: Any) -> None:
    ms = began_ms(1) - (100 - hour) * HOUR_MS
    record_trade(make_trade(net=net, close_ms=ms, open_ms=ms - HOUR_MS, entry_version=version, **parts))


def fall(version: int = 2) -> VersionDrawdown:
    return drawdowns(TRADER, [version])[version]


def test_it_is_of_the_equity_that_the_version_began_with() -> None:
    """Base 10,000; +500; -700: 700 / 10,500."""
    equity(began_ms(2) - HOUR_MS, 10_000)
    equity(began_ms(2) + HOUR_MS, 90_000)
    closed(500, 1)
    closed(-700, 2)
    closed(-9_000, 3, version=1)

    found = fall()

    assert found.usd == 700
    assert round(found.pct or 0, 2) == Decimal("6.67")


def test_without_equity_before_the_version_the_start_of_the_trader_is_the_base() -> None:
    closed(-700, 1)
    assert fall() == VersionDrawdown(Decimal(700), None)

    equity(began_ms(2) + HOUR_MS, 7_000)
    assert fall().pct == 10
    EquityTransfer.objects.create(
        transfer_id="s", trader_id=TRADER, ts_ms=began_ms(1), amount_usd=14_000, kind="initial", reason="r", actor="a"
    )
    assert fall().pct == 5


def test_trades_of_one_moment_count_together() -> None:
    closed(500, 1)
    closed(600, 2)
    closed(-700, 2, symbol="ETH")
    closed(-50, 3)

    assert fall().usd == 150


@pytest.mark.plain
def test_the_equity_of_the_beginning_is_found_by_its_moment() -> None:
    """Else all points of the record since then would be read."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) WITH {GIVEN}, {BEGAN} {BASES}", {"trader": TRADER, "versions": [2]})
        plan = [line for (line,) in cursor.fetchall()]

    assert any("Index Cond" in line and "ts_ms <= v.at_ms" in line for line in plan), plan


def test_a_trade_counts_by_fill() -> None:
    """Sold in two: -700 first, +900 at the close. By closes alone nothing fell."""
    ms = began_ms(1) - 99 * HOUR_MS
    fills = [
        Fill(type=FillType.ENTRY, price=Decimal(1000), quantity=Decimal(2), ts_ms=ms - HOUR_MS),
        Fill(type=FillType.EXIT, price=Decimal(300), quantity=Decimal(1), ts_ms=ms - HOUR_MS // 2),
        Fill(type=FillType.EXIT, price=Decimal(1900), quantity=Decimal(1), ts_ms=ms, closed_pnl=Decimal(900)),
    ]
    made = make_trade().detail
    prices = made.prices.model_copy(update={"avg_entry": Decimal(1000)})
    closed(200, 1, fills=tuple(fills), prices=prices)

    assert fall().usd == 700


def test_an_open_position_counts_with_its_parts_and_its_mark() -> None:
    ms = int(time.time() * 1000) - HOUR_MS
    equity(began_ms(2) - HOUR_MS, 10_000)
    held = make_position(
        opened_ms=ms, entry=Entry(price=Decimal(1000), quantity=Decimal(3), time_ms=ms, commission=Decimal(2))
    )
    positions.open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=held)
    assert held.versions is None
    version = max(drawdowns(TRADER, [1, 2, BEFORE_V1]))
    part = PositionEvent(kind=EventKind.REDUCE, at_ms=ms + 1, quantity=Decimal(1), price=Decimal(1502))
    parts.record_event(TRADER, "BTC", part)
    live.quoted({"BTC": Price(int(time.time() * 1000) * US_PER_MS, Decimal(650))})

    found = drawdowns(TRADER, [version])[version]

    assert found.usd == 700
    assert found.pct is not None
    assert round(found.pct, 2) == Decimal("6.67")
