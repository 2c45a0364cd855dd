"""Parts of a position at average cost: what it holds after each of them, and the one trade that they make together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.schema.messages import _
from trading.record.rules.errors import InvalidRecord, RecordConflict
from trading.schema.common import EventKind, ExitPlan, PositionEvent, Realized, Side
from trading.schema.position import Entry, PositionDetail
from trading.schema.trade import Fill, FillType, Pnl

NOTHING = Decimal(0)
_PLAN = tuple(ExitPlan.model_fields)
# What an event is held to when it comes again.
_CONTENT = ("quantity", "price", "commission", "funding", "is_funding_unknown", *_PLAN)
# Engines compute quantities in binary fractions: what differs by so small a share of a quantity is the same.
_SAME_QUANTITY = Decimal("1e-9")
# A source's P&L may be so far from the sum of the parts, in USD or of the notional.
_TOLERANCE_USD, _TOLERANCE = Decimal("0.01"), Decimal("1e-6")


@dataclass(frozen=True)
class WholePosition:
    """A position from its first entry to its last exit. Quantity is all that was ever entered."""

    quantity: Decimal
    avg_entry: Decimal
    avg_exit: Decimal
    pnl: Pnl
    fills: tuple[Fill, ...]


def changed_by(detail: PositionDetail, side: Side, event: PositionEvent) -> PositionDetail:
    """The position after an increase or a reduction, with the event at the end of its events. The entry holds what
    remains and its average price. Raises InvalidRecord for a reduction by all that is held or more."""
    entry, quantity, price = detail.entry, event.quantity or NOTHING, event.price or NOTHING
    if event.kind is EventKind.INCREASE:
        remaining = entry.quantity + quantity
        average, gross = (entry.price * entry.quantity + price * quantity) / remaining, None
    else:
        remaining, average = entry.quantity - quantity, entry.price
        if remaining <= 0:
            raise InvalidRecord(
                "quantity",
                _(
                    "must be less than what is held, %(held)s, was %(value)s",
                    held=f"{entry.quantity:f}",
                    value=f"{quantity:f}",
                ),
            )
        gross = event.gross if event.gross is not None else side.sign * (price - entry.price) * quantity
    whole = event.model_copy(update={"gross": gross, "remaining": remaining, "avg_entry": average})
    held = entry.model_copy(update={"quantity": remaining, "price": average})
    events = (*begun(detail), whole)
    return detail.model_copy(update={"entry": held, "events": events, "realized": realized(entry, events)})


def is_same_quantity(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _SAME_QUANTITY * max(one, other)


def keeps_events(before: Any, after: Any) -> bool:
    """Whether a position's stored detail keeps the events of the one before: each at its place, more at the end."""
    old = before.get("events") if isinstance(before, dict) else None
    new = after.get("events") if isinstance(after, dict) else None
    return not isinstance(old, list) or not old or (isinstance(new, list | tuple) and list(new[: len(old)]) == old)


def planned_by(detail: PositionDetail, event: PositionEvent) -> PositionDetail:
    """The position after a change of its plan, which the event holds whole."""
    plan = ExitPlan(**{name: getattr(event, name) for name in _PLAN})
    whole = event.model_copy(update={"remaining": detail.entry.quantity, "avg_entry": detail.entry.price})
    events = (*begun(detail), whole)
    return detail.model_copy(
        update={"exit_plan": plan, "events": events, "realized": realized(detail.entry, events)},
    )


def begun(detail: PositionDetail) -> tuple[PositionEvent, ...]:
    """Its events; without any the entry, as it was, as the first."""
    if detail.events:
        return detail.events
    entry, plan = detail.entry, detail.exit_plan or ExitPlan()
    opened = PositionEvent(
        kind=EventKind.OPEN,
        at_ms=entry.time_ms,
        quantity=entry.quantity,
        price=entry.price,
        order_id=detail.orders.entry_oid if detail.orders else None,
        commission=entry.commission,
        remaining=entry.quantity,
        avg_entry=entry.price,
        version=detail.versions.entry if detail.versions else None,
        **{name: getattr(plan, name) for name in _PLAN},
    )
    return (opened,)


def realized(entry: Entry, events: Iterable[PositionEvent]) -> Realized:
    found = list(events)
    gross, commission, funding = (total(found, name) for name in ("gross", "commission", "funding"))
    if not found:
        commission = entry.commission or NOTHING
    return Realized(gross=gross, commission=commission, funding=funding, net=gross - commission + funding)


def known_event(events: Iterable[PositionEvent], new: PositionEvent, position_id: str) -> PositionEvent | None:
    """The same event, recorded before: by its fill, else by its moment and order. Raises RecordConflict where that one
    says something else."""
    for event in events:
        if _is_same(event, new):
            given = [name for name in _CONTENT if getattr(new, name) is not None or new.kind is EventKind.PLAN]
            if any(_differs(name, getattr(event, name), getattr(new, name)) for name in given):
                raise RecordConflict(_("%(event)s of the position", event=new.kind), f"{position_id}:{new.at_ms}")
            return event
    return None


def _differs(name: str, known: Any, new: Any) -> bool:
    if name == "quantity" and None not in (known, new):
        return not is_same_quantity(known, new)
    return bool(known != new)


def whole_of(
    detail: PositionDetail, side: Side, *, price: Decimal, close_ms: int, pnl: Pnl | None, fills: Sequence[Fill]
) -> WholePosition:
    """The position as it is closed by a last exit at `price`. `pnl` is of this exit, or of the whole position where its
    gross is; None: as the prices and commissions tell."""
    last = detail.entry.quantity
    earned = side.sign * (price - detail.entry.price) * last
    if not detail.events:
        made = pnl or _derived(earned, detail.entry.commission, fills)
        return WholePosition(last, detail.entry.price, price, made, tuple(fills))
    entered = [event for event in detail.events if event.kind in (EventKind.OPEN, EventKind.INCREASE)]
    left = [event for event in detail.events if event.kind is EventKind.REDUCE]
    quantity = total(entered, "quantity")
    exits = [(event.quantity or NOTHING, event.price or NOTHING) for event in left] + [(last, price)]
    before = realized(detail.entry, detail.events)
    return WholePosition(
        quantity=quantity,
        avg_entry=sum(((e.price or NOTHING) * (e.quantity or NOTHING) for e in entered), NOTHING) / quantity,
        avg_exit=sum((amount * at for amount, at in exits), NOTHING) / sum((amount for amount, _at in exits), NOTHING),
        pnl=_with_funding_mark(_together(before, earned, detail.entry.price * last, pnl, fills), detail, pnl),
        fills=_all_fills(detail.events, quantity, price=price, last=last, close_ms=close_ms, fills=fills),
    )


def total(events: Iterable[PositionEvent], name: str) -> Decimal:
    return sum((value for event in events if (value := getattr(event, name)) is not None), NOTHING)


def _is_same(event: PositionEvent, new: PositionEvent) -> bool:
    kinds = {EventKind.REDUCE, EventKind.CLOSE} if new.kind is EventKind.REDUCE else {new.kind}
    if event.kind not in kinds:
        return False
    if event.fill_id is not None and new.fill_id is not None:
        return str(event.fill_id) == str(new.fill_id)
    is_other_order = None not in (event.order_id, new.order_id) and str(event.order_id) != str(new.order_id)
    return event.at_ms == new.at_ms and not is_other_order


def _derived(gross: Decimal, entry_commission: Decimal | None, fills: Sequence[Fill]) -> Pnl:
    paid = {end: sum((f.commission or NOTHING for f in fills if f.type is end), NOTHING) for end in FillType}
    commission = paid[FillType.EXIT] + (paid[FillType.ENTRY] if entry_commission is None else entry_commission)
    return Pnl(gross=gross, commission=commission, net=gross - commission)


def _together(before: Realized, earned: Decimal, notional: Decimal, pnl: Pnl | None, fills: Sequence[Fill]) -> Pnl:
    if pnl is None:
        pnl = _derived(earned, NOTHING, fills)
    near = max(_TOLERANCE_USD, _TOLERANCE * notional)
    if abs(pnl.gross - earned) > near and abs(pnl.gross - before.gross - earned) <= near:
        return pnl
    funding = before.funding + (pnl.funding or NOTHING)
    return Pnl(
        gross=before.gross + pnl.gross,
        commission=before.commission + pnl.commission,
        funding=funding or None,
        net=before.net + pnl.net,
    )


def _with_funding_mark(whole: Pnl, detail: PositionDetail, given: Pnl | None) -> Pnl:
    """Marked where funding of any part is not known. A P&L of the whole position that names its funding knows it."""
    is_told = whole is given and whole.funding is not None
    is_unknown = bool(given and given.is_funding_unknown) or (
        not is_told and any(event.is_funding_unknown for event in detail.events)
    )
    return whole.model_copy(update={"is_funding_unknown": True}) if is_unknown else whole


def _all_fills(
    events: Sequence[PositionEvent],
    quantity: Decimal,
    *,
    price: Decimal,
    last: Decimal,
    close_ms: int,
    fills: Sequence[Fill],
) -> tuple[Fill, ...]:
    """Those given, where they are of the whole position; else one an event, and the given ones of the last exit."""
    given = {end: sum((fill.quantity for fill in fills if fill.type is end), NOTHING) for end in FillType}
    if given[FillType.ENTRY] == given[FillType.EXIT] == quantity:
        return tuple(fills)
    parts = [_fill(event) for event in events if event.kind is not EventKind.PLAN]
    exits = [fill for fill in fills if fill.type is FillType.EXIT]
    if not exits:
        exits = [Fill(type=FillType.EXIT, price=price, quantity=last, ts_ms=close_ms)]
    return (*parts, *exits)


def _fill(event: PositionEvent) -> Fill:
    return Fill(
        type=FillType.EXIT if event.kind is EventKind.REDUCE else FillType.ENTRY,
        order_id=event.order_id,
        fill_id=event.fill_id,
        price=event.price or NOTHING,
        quantity=event.quantity or NOTHING,
        commission=event.commission,
        closed_pnl=event.gross,
        ts_ms=event.at_ms,
    )
