"""Writes into the record what an exchange says, in place of what the record held."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traders.schema.messages import _
from trading.differences.rules import CannotBeTaken, DifferenceKind, RestingOrderKind
from trading.models import ExchangeDifference
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.writing import equity, parts, positions
from trading.schema.common import NANOSECONDS_PER_MS, EventKind, PositionEvent, Side
from trading.schema.facts import EquityPoint
from trading.schema.position import Entry, Orders, PositionDetail, PositionRecord


def take(row: ExchangeDifference, price: Decimal | None) -> None:
    """Inside the transaction that settles it. Raises CannotBeTaken and RecordError."""
    taker = _TAKERS.get(DifferenceKind(row.kind))
    if taker is None:
        raise CannotBeTaken(
            _("the record holds one side of a symbol: the other one stays listed here, and counts in the exposure")
        )
    taker(row, price)


def held(row: ExchangeDifference) -> PositionRecord | None:
    """The open position that the difference is about."""
    if row.symbol is None:
        return None
    return next((one for one in positions.open_whole(row.trader_id) if one.symbol == row.symbol), None)


def _close(row: ExchangeDifference, price: Decimal | None) -> None:
    positions.close_position(
        trader_id=row.trader_id,
        symbol=_symbol(row),
        price=_required(price),
        closed_at_ns=_seen_ms(row) * NANOSECONDS_PER_MS,
    )


def _open(row: ExchangeDifference, price: Decimal | None) -> None:
    known = row.detail["known"]
    entry = Entry(
        price=_required(price),
        quantity=row.detail["theirs"]["quantity"],
        time_ms=known.get("entry_time_ms") or _seen_ms(row),
        leverage=known.get("leverage"),
    )
    symbols.add([_symbol(row)])
    positions.open_position(
        trader_id=row.trader_id, symbol=_symbol(row), side=Side(row.side or ""), detail=PositionDetail(entry=entry)
    )


def _fill(row: ExchangeDifference, price: Decimal | None) -> None:
    position = _held(row)
    missing = Decimal(row.detail["theirs"]["quantity"]) - position.detail.entry.quantity
    if not missing:
        raise CannotBeTaken(_("the record has this quantity by now: dismiss the difference"))
    event = PositionEvent(
        kind=EventKind.INCREASE if missing > 0 else EventKind.REDUCE,
        at_ms=_seen_ms(row),
        quantity=abs(missing),
        price=_required(price),
    )
    parts.record_event(row.trader_id, position.symbol, event)


def _forget_order(row: ExchangeDifference, _price: Decimal | None) -> None:
    _set_order(row, RestingOrderKind(row.detail["ours"]["order"]), None)


def _name_order(row: ExchangeDifference, _price: Decimal | None) -> None:
    _set_order(row, RestingOrderKind(row.detail["theirs"]["order"]), row.detail["theirs"]["id"])


def _set_order(row: ExchangeDifference, kind: RestingOrderKind, order_id: str | None) -> None:
    names = {RestingOrderKind.STOP: "sl_oid", RestingOrderKind.TARGET: "tp_oid"}
    if kind not in names:
        raise CannotBeTaken(_("an entry order that rests is in no record: cancel it at the exchange, or dismiss this"))
    position = _held(row)
    orders: dict[str, Any] = dict(position.detail.orders) if position.detail.orders else {}
    changed = Orders.model_validate({**orders, names[kind]: order_id})
    positions.update_position(trader_id=row.trader_id, symbol=position.symbol, orders=changed)


def _point(row: ExchangeDifference, _price: Decimal | None) -> None:
    point = EquityPoint(row.trader_id, row.detail["known"]["ts_ms"], Decimal(row.detail["theirs"]["equity_usd"]))
    with bulk_load(name="equity"):
        equity.copy_equity(equity.with_parts([point]))


_TAKERS: dict[DifferenceKind, Callable[[ExchangeDifference, Decimal | None], None]] = {
    DifferenceKind.ONLY_HERE: _close,
    DifferenceKind.ONLY_THERE: _open,
    DifferenceKind.QUANTITY: _fill,
    DifferenceKind.ORDER_ONLY_HERE: _forget_order,
    DifferenceKind.ORDER_ONLY_THERE: _name_order,
    DifferenceKind.EQUITY: _point,
}


def _held(row: ExchangeDifference) -> PositionRecord:
    position = held(row)
    if position is None:
        raise CannotBeTaken(_("the record holds no open position in %(symbol)s by now", symbol=row.symbol))
    return position


def _symbol(row: ExchangeDifference) -> str:
    return str(row.symbol)


def _required(price: Decimal | None) -> Decimal:
    if price is None:
        raise CannotBeTaken(_("a price is needed: the exchange gave none"))
    return price


def _seen_ms(row: ExchangeDifference) -> int:
    return int(row.seen_at.timestamp() * 1000)
