"""Parts of an open position: reduced, increased, its plan moved. Each event is recorded once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from traders.schema.messages import _
from trading.models import Position as PositionRow
from trading.record.rules import parts
from trading.record.rules.errors import InvalidRecord
from trading.record.stored import rows
from trading.record.writing import positions
from trading.record.writing.against import marked
from trading.record.writing.locks import lock_record
from trading.schema.common import NANOSECONDS_PER_MS, EventKind, PositionEvent, Side
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.trade import Fill, FillType, Pnl

# Closed positions that are searched for an event that comes late.
LATEST_CLOSED = 20


def record_event(
    trader_id: str, symbol: str, event: PositionEvent, orders: dict[str, object] | None = None
) -> PositionRecord:
    """The position after the event; the same event again changes nothing, also when the position was closed since.

    A reduction by the whole quantity closes the position and records its trade. Raises NoOpenPosition, SetAside,
    InvalidRecord for an event before the entry or a reduction by more than the held quantity, RecordConflict for
    another event at its place, CannotBeRead.
    """
    with transaction.atomic():
        lock_record([trader_id])
        if known := _known(trader_id, symbol, event):
            return known
        row = positions.require_open(trader_id, symbol)
        stored = positions.salvaged(row, None)
        held = stored.detail
        if event.at_ms < held.entry.time_ms:
            raise InvalidRecord(
                "at_ms",
                _(
                    "must not be before the entry, %(entry)s, was %(value)s",
                    entry=held.entry.time_ms,
                    value=event.at_ms,
                ),
            )
        dated = event.model_copy(
            update={"version": positions.version_for(trader_id, event.at_ms, event.decision_id)},
        )
        if event.kind is EventKind.REDUCE and parts.is_same_quantity(
            event.quantity or parts.NOTHING, held.entry.quantity
        ):
            if not held.events:
                # By its events the reduction is known when it comes again.
                held = held.model_copy(update={"events": parts.begun(held)})
                positions.rewrite(row, PositionStatus.OPEN, held, stored)
            return _closed(row, held, dated.model_copy(update={"quantity": held.entry.quantity}))
        if event.kind is EventKind.PLAN:
            changed = parts.planned_by(held, dated)
            if orders:
                both = {**(dict(held.orders) if held.orders else {}), **orders}
                changed = type(held).model_validate({**dict(changed), "orders": both})
        else:
            changed = parts.changed_by(held, Side(row.side), dated)
            if event.kind is EventKind.INCREASE:
                changed = marked(changed, trader_id, event.at_ms)
        return positions.rewrite(row, PositionStatus.OPEN, changed, stored)


def _known(trader_id: str, symbol: str, event: PositionEvent) -> PositionRecord | None:
    """The position that has the event already."""
    for position in _candidates(trader_id, symbol, event.at_ms):
        if parts.known_event(position.detail.events, event, position.id):
            return position
    return None


def _candidates(trader_id: str, symbol: str, at_ms: int) -> Sequence[PositionRecord]:
    found = PositionRow.objects.filter(trader=trader_id, symbol=symbol, opened_ms__lte=at_ms).order_by("-opened_ms")
    ids = list(found.values_list("pk", flat=True)[:LATEST_CLOSED])
    return [one for one in rows.positions(rows.POSITIONS.named(ids, [trader_id])) if one.detail.events]


def _closed(row: PositionRow, held: PositionDetail, event: PositionEvent) -> PositionRecord:
    """The position, closed by its last part."""
    assert event.price is not None
    assert event.quantity is not None
    gross = event.gross
    if gross is None:
        gross = Side(row.side).sign * (event.price - held.entry.price) * event.quantity
    commission, funding = event.commission or parts.NOTHING, event.funding
    pnl = Pnl(
        gross=gross,
        commission=commission,
        funding=funding,
        is_funding_unknown=event.is_funding_unknown,
        net=gross - commission + (funding or 0),
    )
    last = Fill(
        type=FillType.EXIT,
        order_id=event.order_id,
        fill_id=event.fill_id,
        price=event.price,
        quantity=event.quantity,
        commission=event.commission,
        ts_ms=event.at_ms,
    )
    positions.close_position(
        trader_id=row.trader_id,
        symbol=row.symbol,
        price=event.price,
        closed_at_ns=event.at_ms * NANOSECONDS_PER_MS,
        pnl=pnl,
        fills=[last],
        decision_id=event.decision_id,
    )
    return rows.position(rows.POSITIONS.one(row.id, row.trader_id))
