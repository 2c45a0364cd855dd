"""A position that is closed: by its last exit, or by trades that a source does not know of yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from trading.record.rules.parts import WholePosition
from trading.schema.common import EventKind, PositionEvent, Realized, Side, Versions
from trading.schema.ids import closed_position_id, trade_id
from trading.schema.position import Close, PositionDetail, PositionRecord, PositionStatus
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


def closed_by(position: PositionRecord, trades: Sequence[TradeRecord]) -> PositionRecord:
    """As it stood after these trades, which its entry order opened, in order of their closes: closed, at an id of its
    own, once they cover all of it."""
    closed = sum((trade.detail.quantity.total for trade in trades), Decimal(0))
    if not trades or closed < position.detail.entry.quantity:
        return position
    last = trades[-1]
    close = Close(
        price=last.detail.prices.avg_exit,
        time_ms=last.close_ts_ms,
        quantity=position.detail.entry.quantity,
        pnl=sum((trade.net_pnl for trade in trades), Decimal(0)),
    )
    versions = Versions(entry=_entry(position), exit=last.detail.versions.exit if last.detail.versions else None)
    detail = position.detail.model_copy(update={"close": close, "versions": versions})
    own_id = closed_position_id(position.trader_id, position.symbol, detail)
    return replace(position, id=own_id, status=PositionStatus.CLOSED, detail=detail)


def closed_as(held: PositionDetail, whole: WholePosition, close_ms: int, versions: Versions) -> PositionDetail:
    """The detail of a position that its last exit closed."""
    close = Close(price=whole.avg_exit, time_ms=close_ms, quantity=whole.quantity, pnl=whole.pnl.net)
    update: dict[str, object] = {"close": close, "versions": versions}
    if held.events:
        funding = whole.pnl.funding or Decimal(0)
        update |= {
            "entry": held.entry.model_copy(update={"quantity": whole.quantity, "price": whole.avg_entry}),
            "realized": Realized(
                gross=whole.pnl.gross, commission=whole.pnl.commission, funding=funding, net=whole.pnl.net
            ),
        }
    return held.model_copy(update=update)


def last_part(
    held: PositionDetail,
    side: Side,
    *,
    price: Decimal,
    close_ms: int,
    pnl: Pnl | None,
    whole: WholePosition,
    fills: Sequence[Fill],
) -> PositionEvent:
    """The exit of all that was left, as the last event."""
    quantity = held.entry.quantity
    exits = [fill for fill in fills if fill.type is FillType.EXIT]
    asked = pnl or Pnl(gross=side.sign * (price - held.entry.price) * quantity, net=whole.pnl.net)
    before = held.realized.commission if held.realized else Decimal(0)
    return PositionEvent(
        kind=EventKind.CLOSE,
        at_ms=close_ms,
        quantity=quantity,
        price=price,
        order_id=exits[0].order_id if exits else None,
        fill_id=exits[0].fill_id if exits else None,
        gross=asked.gross,
        commission=pnl.commission if pnl else whole.pnl.commission - before,
        funding=asked.funding,
        is_funding_unknown=asked.is_funding_unknown,
        remaining=Decimal(0),
        avg_entry=held.entry.price,
    )


def trade_of(held: PositionRecord, closed: PositionDetail, whole: WholePosition, closed_at_ns: int) -> TradeRecord:
    """The one trade that a closed position is."""
    assert closed.close is not None
    open_ms, close_ms = closed.entry.time_ms, closed.close.time_ms
    detail = TradeDetail(
        time=Time(
            open_ts_ms=open_ms, close_ts_ms=close_ms, duration_seconds=Decimal(close_ms - open_ms) / MS_PER_SECOND
        ),
        prices=Prices(avg_entry=whole.avg_entry, avg_exit=whole.avg_exit),
        quantity=Quantity(total=whole.quantity),
        pnl=whole.pnl,
        risk=TradeRisk(leverage=closed.entry.leverage, confidence=closed.risk.confidence if closed.risk else None),
        exchange=closed.exchange,
        fills=whole.fills,
        exit_plan=closed.exit_plan,
        versions=closed.versions,
        against_control=closed.against_control,
    )
    return TradeRecord(
        trade_id(held.trader_id, held.symbol, closed_at_ns), held.trader_id, held.symbol, held.side, detail
    )


def _entry(position: PositionRecord) -> int | None:
    return position.detail.versions.entry if position.detail.versions else None
