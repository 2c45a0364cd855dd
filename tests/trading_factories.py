"""Small records for tests: plain functions that make valid ones, each part of which may be overridden."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.schema.common import Side, Versions
from trading.schema.decision import Action, ActionTaken, Decision, DecisionDetail, JournalEntry
from trading.schema.ids import trade_id
from trading.schema.position import Entry, PositionDetail
from trading.schema.trade import Fill, FillType, Pnl, Prices, Quantity, Time, TradeDetail, TradeRecord, TradeRisk

OPENED_MS = 1_760_000_000_000
HOUR_MS = 3_600_000


def make_trade(
    trader_id: str = "steady_long",
    *,
    symbol: str = "BTC",
    side: Side = Side.LONG,
    open_ms: int = OPENED_MS,
    close_ms: int | None = None,
    net: Any = "4.5",
    entry_version: int | None = 1,
    exit_version: int | None = 1,
    **parts: Any,
) -> TradeRecord:
    close_ms = close_ms if close_ms is not None else open_ms + HOUR_MS
    total = Decimal("0.01")
    detail = TradeDetail(
        **{
            "time": Time(open_ts_ms=open_ms, close_ts_ms=close_ms, duration_seconds=Decimal(close_ms - open_ms) / 1000),
            "prices": Prices(avg_entry=Decimal("45000.50"), avg_exit=Decimal("45500.00")),
            "quantity": Quantity(total=total),
            "pnl": Pnl(gross=Decimal("5.00"), commission=Decimal("0.50"), net=Decimal(net)),
            "risk": TradeRisk(leverage=Decimal(10), confidence=Decimal(85)),
            "fills": (
                Fill(
                    type=FillType.ENTRY,
                    order_id=67890,
                    fill_id=1,
                    price=Decimal("45000.5"),
                    quantity=total,
                    ts_ms=open_ms,
                ),
                Fill(
                    type=FillType.EXIT, order_id=67891, fill_id=2, price=Decimal(45500), quantity=total, ts_ms=close_ms
                ),
            ),
            "versions": Versions(entry=entry_version, exit=exit_version),
            **parts,
        }
    )
    return TradeRecord(trade_id(trader_id, symbol, close_ms * 1_000_000), trader_id, symbol, side, detail)


def make_position(*, opened_ms: int = OPENED_MS, **parts: Any) -> PositionDetail:
    entry = Entry(price=Decimal("45000.50"), quantity=Decimal("0.010"), time_ms=opened_ms, leverage=Decimal(10))
    return PositionDetail(**{"entry": entry, **parts})


def make_entry(
    trader_id: str = "steady_long",
    *,
    config_version: int | None = 1,
    decided_at: datetime = datetime(2026, 1, 8, 10, 30, tzinfo=UTC),
    success: bool = True,
    **parts: Any,
) -> JournalEntry:
    decision = Decision(
        symbol="BTC",
        action=Action.OPEN_LONG,
        leverage=Decimal(10),
        position_size_usd=Decimal(450),
        entry_price=Decimal("45000.5"),
        stop_loss=Decimal(44500),
        take_profit=Decimal(46500),
        confidence=Decimal(85),
    )
    taken = ActionTaken(symbol="BTC", action=Action.OPEN_LONG, order_id=67890, ok=True)
    detail = DecisionDetail(**{"decisions": (decision,), "actions": (taken,), **parts})
    return JournalEntry(trader_id, config_version, decided_at, success, detail)
