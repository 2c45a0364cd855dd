"""The stored records of round trips: a position each, and a trade for each closed one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from demo.sample.trips import Exit, SampleFill, Trip
from trading.schema.common import Exchange, ExitPlan, Versions
from trading.schema.ids import closed_position_id, open_position_id, trade_id
from trading.schema.position import Close, Entry, Orders, PositionDetail, PositionRecord, PositionRisk, PositionStatus
from trading.schema.trade import (
    MS_PER_SECOND,
    Fill,
    FillType,
    Pnl,
    Prices,
    Quantity,
    Time,
    TradeDetail,
    TradeRecord,
    TradeRisk,
)

PROVIDER = "paper_trading"


def trades(trader_id: str, trips: Sequence[Trip]) -> Iterator[TradeRecord]:
    for trip in trips:
        if trip.exit is not None:
            yield _trade(trader_id, trip, trip.exit)


def positions(trader_id: str, trips: Sequence[Trip]) -> Iterator[PositionRecord]:
    """The last position of each symbol keeps the id of an open one, as it does until the symbol is opened again."""
    last = {trip.symbol: trip for trip in trips}
    for trip in trips:
        detail = _position_detail(trip)
        is_last = trip is last[trip.symbol]
        yield PositionRecord(
            open_position_id(trader_id, trip.symbol) if is_last else closed_position_id(trader_id, trip.symbol, detail),
            trader_id,
            trip.symbol,
            trip.side,
            PositionStatus.CLOSED if trip.exit else PositionStatus.OPEN,
            detail,
        )


def _trade(trader_id: str, trip: Trip, left: Exit) -> TradeRecord:
    held = Decimal(left.ts_ms - trip.entry_ms) / MS_PER_SECOND
    detail = TradeDetail(
        time=Time(open_ts_ms=trip.entry_ms, close_ts_ms=left.ts_ms, duration_seconds=held),
        prices=Prices(avg_entry=trip.price, avg_exit=left.price),
        quantity=Quantity(total=trip.quantity),
        pnl=Pnl(gross=trip.gross, commission=trip.commission, net=trip.net),
        risk=TradeRisk(leverage=Decimal(trip.leverage), confidence=Decimal(trip.confidence)),
        exchange=Exchange(provider=PROVIDER),
        fills=(
            *(_fill(fill, FillType.ENTRY, trip.order_id) for fill in trip.fills),
            *(_fill(fill, FillType.EXIT, left.order_id, trip) for fill in left.fills),
        ),
        exit_plan=_plan(trip),
        versions=Versions(entry=trip.version, exit=left.version),
    )
    return TradeRecord(trade_id(trader_id, trip.symbol, left.ts_ns), trader_id, trip.symbol, trip.side, detail)


def _fill(fill: SampleFill, kind: FillType, order_id: int, of: Trip | None = None) -> Fill:
    """`of` is the trip of which an exit closes a part."""
    return Fill(
        type=kind,
        order_id=order_id,
        fill_id=fill.id,
        price=fill.price,
        quantity=fill.quantity,
        commission=fill.commission,
        is_crossed=fill.is_crossed,
        closed_pnl=(fill.price - of.price) * fill.quantity * of.side.sign if of else None,
        ts_ms=fill.ts_ms,
    )


def _position_detail(trip: Trip) -> PositionDetail:
    left = trip.exit
    return PositionDetail(
        entry=Entry(
            price=trip.price,
            quantity=trip.quantity,
            time_ms=trip.entry_ms,
            leverage=Decimal(trip.leverage),
            commission=trip.entry_commission,
        ),
        exchange=Exchange(provider=PROVIDER),
        orders=Orders(entry_oid=trip.order_id, tp_oid=trip.target_order_id, sl_oid=trip.stop_order_id),
        exit_plan=_plan(trip),
        risk=PositionRisk(confidence=Decimal(trip.confidence), risk_usd=trip.risk_usd),
        close=Close(price=left.price, time_ms=left.ts_ms, quantity=trip.quantity, pnl=trip.net) if left else None,
        versions=Versions(entry=trip.version, exit=left.version if left else None),
    )


def _plan(trip: Trip) -> ExitPlan:
    words = "below" if trip.side.sign > 0 else "above"
    return ExitPlan(
        tp_price=trip.target, sl_price=trip.stop, invalidation_condition=f"An hour closes {words} {trip.stop}"
    )
