"""Positions: opened, changed, and closed together with their trade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from traders.database.violations import violated_rule
from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS, now_ms
from traders.versions.rules.in_force import NamedVersion
from trading.models import COUNTED, OPEN_AND_COUNTED
from trading.models import Position as PositionRow
from trading.record.exclusions import corrected
from trading.record.exclusions import queries as exclusions
from trading.record.rules.closing import closed_as, last_part, trade_of
from trading.record.rules.errors import (
    AlreadyOpen,
    CannotBeRead,
    ConcurrentRecord,
    InvalidRecord,
    NoOpenPosition,
    OpenPositionSetAside,
    RecordConflict,
    SetAside,
)
from trading.record.rules.identity import ENTRY_TOLERANCE_MS, Likeness, have_same_fills, likeness
from trading.record.rules.parts import keeps_events, whole_of
from trading.record.stored import rows, versions
from trading.record.stored.constraints import checked
from trading.record.stored.spread import judging
from trading.record.writing import trades
from trading.record.writing.against import marked, unmarked
from trading.record.writing.decisions import version_of
from trading.record.writing.locks import lock_record
from trading.schema.common import NANOSECONDS_PER_MS, EventKind, Side, Versions
from trading.schema.exclusion import RecordKey, RecordKind, who_and_why
from trading.schema.ids import closed_position_id, open_position_id, trade_id
from trading.schema.position import Entry, PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import DetailReading, UnreadableLeaf, read_most, with_unknown
from trading.schema.trade import Fill, FillType, Pnl, TradeRecord
from trading.schema.unreadable import Unreadable

_INSERT = """
INSERT INTO positions (id, trader_id, symbol, side, status, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
"""
_UPDATE = """
UPDATE positions SET status = %s, detail = %s::jsonb, updated_at = statement_timestamp()
 WHERE trader_id = %s AND id = %s
"""
# What cannot be read names no close and no order: the entry's time and a digest of the text tell it apart.
_MAKE_WAY_UNREAD = """
UPDATE positions SET id = trader_id || '|' || symbol || coalesce('|' || opened_ms::text, '') || '|'
                          || left(md5(detail::text), 12)
 WHERE trader_id = %s AND id = %s
"""


def open_position(
    *, trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None = None
) -> PositionRecord:
    """Records an entry. Its opening version is that of the decision, else the version valid at the entry's time.

    The same position again changes nothing, also where it was set aside. Raises AlreadyOpen when another position is
    open, RecordConflict when this position was closed already, SetAside when it was closed and set aside, CannotBeRead
    when the open position cannot be compared, UnknownTrader, ConcurrentRecord.
    """
    entry_version = version_for(trader_id, detail.entry.time_ms, decision_id)
    whole = detail.model_copy(update={"versions": Versions(entry=entry_version), "against_control": None})
    new = PositionRecord(open_position_id(trader_id, symbol), trader_id, symbol, side, PositionStatus.OPEN, whole)
    try:
        with transaction.atomic(), checked(trader_id):
            lock_record([trader_id])
            found = _locked(new.id, trader_id)
            if found and found.status == PositionStatus.OPEN:
                stored = _read(found)
                if unmarked(stored) != new:
                    raise AlreadyOpen(trader_id, symbol, stored.side, side)
                return stored
            if aside := exclusions.position_aside(trader_id, symbol, side, detail.entry.time_ms):
                return _as_it_was(aside)
            if closed := _closed_before(new):
                raise RecordConflict(_("position"), closed)
            if found:
                make_way(found)
            new = replace(new, detail=marked(new.detail, trader_id, detail.entry.time_ms))
            insert(new)
    except IntegrityError as error:
        if violated_rule(error):
            raise
        raise ConcurrentRecord(
            _("%(trader_id)s opened %(symbol)s twice at the same moment", trader_id=trader_id, symbol=symbol)
        ) from error
    return new


def update_position(*, trader_id: str, symbol: str, **parts: Any) -> PositionRecord:
    """Replaces whole parts of an open position's detail: exit_plan, orders, risk, reported, exchange or entry. An entry
    with more than the held quantity is an increase, at the moment of `reported` or now.

    Equal parts are not written, and leaves that this release does not know stay. An unreadable detail is written again
    as far as it can be read. Raises NoOpenPosition, CannotBeRead.
    """
    with transaction.atomic():
        lock_record([trader_id])
        row = require_open(trader_id, symbol)
        entry = parts.get("entry")
        stored = salvaged(row, entry.stored() if isinstance(entry, Entry) else None)
        kept = {"close": None, "entry": _entry_kept(stored.detail, parts.get("entry"))}
        changed = PositionDetail.model_validate({**dict(stored.detail), **parts, **kept})
        if changed == stored.detail and stored.is_whole:
            return _made(row, PositionStatus.OPEN, changed)
        if changed.entry.quantity > stored.detail.entry.quantity:
            told_ms = changed.reported.at_ms if changed.reported and "reported" in parts else None
            changed = marked(changed, trader_id, told_ms if told_ms is not None else now_ms())
        return rewrite(row, PositionStatus.OPEN, changed, stored)


def close_position(
    *,
    trader_id: str,
    symbol: str,
    price: Any,
    closed_at_ns: int,
    pnl: Pnl | None = None,
    fills: Sequence[Fill] = (),
    decision_id: int | None = None,
    extra: dict[str, Any] | None = None,
) -> TradeRecord:
    """Closes the remaining quantity of the position and records its trade, both or neither. The trade contains the
    whole position, with the parts that were closed before; `pnl` is the P&L of this close (`rules.parts.whole_of`).

    The same close again returns the trade it made, also when the symbol was opened again since. Raises NoOpenPosition,
    SetAside when the open position was set aside, RecordConflict, and InvalidRecord for a close before the entry.

    A position whose detail cannot be read is closed all the same: unreadable leaves of its entry are taken from the
    entry's `fills`. Raises InvalidRecord where the fills do not hold them either.
    """
    close_ms = closed_at_ns // NANOSECONDS_PER_MS
    with transaction.atomic():
        lock_record([trader_id])
        own_id = trade_id(trader_id, symbol, closed_at_ns)
        if made := trades.stored(own_id, trader_id):
            if not _is_close_of(made, price, pnl):
                raise RecordConflict(_("trade"), made.id)
            return made
        row = _open_or_none(trader_id, symbol)
        is_late = row is None or close_ms < row.opened_ms
        if is_late and (made := _closed_another_way(trader_id, symbol, close_ms, price, pnl, fills)):
            return made
        row = row or require_open(trader_id, symbol)
        try:
            stored = salvaged(row, _entry_of(row, fills))
        except CannotBeRead as error:
            raise InvalidRecord("fills", _("must hold the fills of the entry: %(error)s", error=error)) from error
        held = _made(row, PositionStatus.OPEN, stored.detail)
        if close_ms < held.detail.entry.time_ms:
            raise InvalidRecord(
                "closed_at_ns", _("must not be before the entry, %(time_ms)s ms", time_ms=held.detail.entry.time_ms)
            )
        entry = held.detail.versions.entry if held.detail.versions else None
        exit_version = version_for(trader_id, close_ms, decision_id)
        found = whole_of(held.detail, held.side, price=price, close_ms=close_ms, pnl=pnl, fills=fills)
        closed = closed_as(held.detail, found, close_ms, Versions(entry=entry, exit=exit_version))
        if closed.events:
            own = last_part(held.detail, held.side, price=price, close_ms=close_ms, pnl=pnl, whole=found, fills=fills)
            own = own.model_copy(update={"decision_id": decision_id, "version": exit_version})
            closed = closed.model_copy(update={"events": (*closed.events, own)})
        trade = trade_of(held, closed, found, closed_at_ns)
        if extra:
            trade = replace(trade, detail=trade.detail.model_copy(update={"extra": extra}))
        rewrite(row, PositionStatus.CLOSED, closed, stored)
        made, _is_new = trades.insert(trade)
    return made


def _closed_another_way(
    trader_id: str, symbol: str, close_ms: int, price: Any, pnl: Pnl | None, fills: Sequence[Fill]
) -> TradeRecord | None:
    """The trade of this close, where it was recorded from an export or an arena's files. Raises RecordConflict for a
    trade with the same fills that contradicts it."""
    for made in trades.closed_at(trader_id, symbol, close_ms):
        as_asked = replace(
            made,
            detail=made.detail.model_copy(
                update={
                    "pnl": pnl or made.detail.pnl,
                    "prices": made.detail.prices.model_copy(update={"avg_exit": price}),
                    "fills": tuple(fills),
                }
            ),
        )
        found = likeness(made, as_asked)
        if found is Likeness.SAME:
            return made
        if found is Likeness.CONTRADICTION and have_same_fills(made, as_asked):
            raise RecordConflict(_("trade"), made.id)
    return None


def _is_close_of(made: TradeRecord, price: Any, pnl: Pnl | None) -> bool:
    """Whether the requested close made this trade. Where a position has several parts, its last event holds the
    requested close."""
    if (made.detail.prices.avg_exit, pnl or made.detail.pnl) == (price, made.detail.pnl):
        return True
    same = rows.POSITIONS.filter(trader=made.trader_id, symbol=made.symbol, opened_ms=made.detail.time.open_ts_ms)
    for position in rows.positions(same.filter(status=PositionStatus.CLOSED)):
        last = position.detail.events[-1] if position.detail.events else None
        if last is not None and last.kind is EventKind.CLOSE and last.price == price:
            return pnl in (None, made.detail.pnl) or (pnl.gross, pnl.commission) == (last.gross, last.commission)
    return False


def _entry_kept(stored: PositionDetail, new: Entry | None) -> Entry:
    """The entry to be stored. If the position has events or corrects another one, an entry that is sent again changes
    only the leverage: it holds the quantity of the beginning, or the wrong values."""
    if new is None or not (stored.events or stored.corrects):
        # The moment by which it is known stays.
        return stored.entry if new is None else new.model_copy(update={"time_ms": stored.entry.time_ms})
    leverage = new.leverage if new.leverage is not None else stored.entry.leverage
    return stored.entry.model_copy(update={"leverage": leverage})


def open_whole(trader_id: str) -> list[PositionRecord]:
    """The trader's open positions with their details, by symbol. Unreadable positions are left out and noted."""
    return list(rows.positions(rows.POSITIONS.filter(OPEN_AND_COUNTED, trader=trader_id).order_by("symbol")))


def open_known(trader_id: str, symbol: str) -> PositionRow | None:
    """The row of the trader's open position in the symbol, so that an unreadable detail hides no position."""
    return exclusions.POSITIONS.filter(OPEN_AND_COUNTED, trader=trader_id, symbol=symbol).first()


def is_told_of(row: PositionRow, side: Side, detail: PositionDetail) -> bool:
    """Whether a report means the open position: side and moment of entry are equal, a second apart where both name one
    entry order. It may also equal the row that the position corrects, because its engine goes on reporting that."""
    if _is_entry_of(row, side, detail):
        return True
    wrong = exclusions.position_aside(row.trader_id, row.symbol, side, detail.entry.time_ms)
    if wrong is None:
        return False
    line = corrected.family(RecordKey(RecordKind.POSITION, row.id, row.trader_id))
    return any(one.id == wrong.id for one in line)


def _is_entry_of(row: PositionRow, side: Side, detail: PositionDetail) -> bool:
    orders = row.detail.get("orders") if isinstance(row.detail, dict) else None
    known = orders.get("entry_oid") if isinstance(orders, dict) else None
    told = detail.orders.entry_oid if detail.orders else None
    is_one_order = known is not None and told is not None and str(known) == str(told)
    apart_ms = abs(row.opened_ms - detail.entry.time_ms)
    return row.side == side and apart_ms <= (ENTRY_TOLERANCE_MS if is_one_order else 0)


def insert(new: PositionRecord) -> None:
    """In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [new.id, new.trader_id, new.symbol, new.side, new.status, jsonio.dumps(new.detail.stored())]
        )
    judging.explained(moments_of([new]))


def moments_of(positions: Iterable[PositionRecord]) -> dict[str, set[int]]:
    """{trader: milliseconds of each entry and event of open positions}, which explain a step of its equity."""
    moments = defaultdict[str, set[int]](set)
    for position in positions:
        if position.is_open:
            events = (event.at_ms for event in position.detail.events)
            moments[position.trader_id] |= {position.detail.entry.time_ms, *events}
    return moments


def _locked(position_id: str, trader_id: str) -> PositionRow | None:
    found: PositionRow | None = rows.POSITIONS.select_for_update().one(position_id, trader_id)
    return found


def _read(row: PositionRow) -> PositionRecord:
    """Raises CannotBeRead."""
    try:
        return rows.position(row)
    except UnreadableLeaf as error:
        raise CannotBeRead(Unreadable(_("positions"), row.id, error.path, error.reason)) from error


def salvaged(row: PositionRow, entry: dict[str, Any] | None) -> DetailReading[PositionDetail]:
    """The readable part of the detail, with `entry` if its own entry is unreadable. Raises CannotBeRead."""
    try:
        return read_most(PositionDetail, row.detail)
    except UnreadableLeaf as error:
        if entry is None:
            raise CannotBeRead(Unreadable(_("positions"), row.id, error.path, error.reason)) from error
        rest = row.detail if isinstance(row.detail, dict) else {}
        found = read_most(PositionDetail, {**rest, "entry": entry})
        return DetailReading(found.detail, found.known, found.unknown, is_whole=False)


def _entry_of(row: PositionRow, fills: Sequence[Fill]) -> dict[str, Any] | None:
    """The entry, computed from its fills."""
    entered = [fill for fill in fills if fill.type is FillType.ENTRY]
    if not entered:
        return None
    quantity = sum((fill.quantity for fill in entered), Decimal(0))
    paid = sum((fill.price * fill.quantity for fill in entered), Decimal(0))
    opened = row.opened_ms if EARLIEST_MS <= row.opened_ms <= LATEST_MS else min(fill.ts_ms for fill in entered)
    return {"price": paid / quantity, "quantity": quantity, "time_ms": opened}


def _closed_before(new: PositionRecord) -> str | None:
    """The id under which this position, recognised by its side and entry, was closed before its opening arrived."""
    opened = new.detail.entry.time_ms
    near = exclusions.POSITIONS.filter(
        COUNTED,
        trader=new.trader_id,
        status="closed",
        symbol=new.symbol,
        side=new.side,
        opened_ms__range=(opened - ENTRY_TOLERANCE_MS, opened + ENTRY_TOLERANCE_MS),
    )
    return next((row.id for row in near.order_by("pk") if _is_entry_of(row, new.side, new.detail)), None)


def _open_or_none(trader_id: str, symbol: str) -> PositionRow | None:
    found = _locked(open_position_id(trader_id, symbol), trader_id)
    return found if found and found.status == PositionStatus.OPEN else None


def require_open(trader_id: str, symbol: str) -> PositionRow:
    found = _open_or_none(trader_id, symbol)
    if found is None:
        if aside := exclusions.open_aside(trader_id, symbol):
            raise OpenPositionSetAside(trader_id, symbol, who_and_why(exclusions.entry_of(aside)))
        raise NoOpenPosition(trader_id, symbol)
    return found


def _as_it_was(aside: PositionRow) -> PositionRecord:
    """An open position that was set aside, as it is stored. Raises CannotBeRead, and SetAside for a closed position."""
    if aside.status == PositionStatus.CLOSED:
        raise SetAside(aside.id, who_and_why(exclusions.entry_of(aside)))
    return _read(aside)


def make_way(closed: PositionRow) -> None:
    """Moves the closed position to an id of its own, because the open position needs its id."""
    try:
        own = closed_position_id(closed.trader_id, closed.symbol, rows.position(closed).detail)
        PositionRow.objects.named([closed.id], [closed.trader_id]).update(id=own)
    except UnreadableLeaf:
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_WAY_UNREAD, [closed.trader_id, closed.id])


def rewrite(
    row: PositionRow, status: PositionStatus, detail: PositionDetail, before: DetailReading[PositionDetail]
) -> PositionRecord:
    """Of a row that is locked. Raises InvalidRecord, as the triggers of plain PostgreSQL refuse."""
    whole = with_unknown(detail.stored(), before.unknown)
    if row.exclusion_id is not None:
        raise InvalidRecord("exclusion_id", _("a row that is set aside stays as it is"))
    if row.status == PositionStatus.CLOSED and status is not PositionStatus.CLOSED:
        raise InvalidRecord("status", _("a closed position is not opened again under its id"))
    if not keeps_events(row.detail, whole):
        raise InvalidRecord("detail.events", _("events are added at the end, never changed"))
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [status, jsonio.dumps(whole), row.trader_id, row.id])
    made = _made(row, status, detail)
    judging.explained(moments_of([made]))
    return made


def _made(row: PositionRow, status: PositionStatus, detail: PositionDetail) -> PositionRecord:
    return PositionRecord(row.id, row.trader_id, row.symbol, Side(row.side), status, detail)


def version_for(trader_id: str, ts_ms: int, decision_id: int | None) -> int | None:
    decision = None if decision_id is None else NamedVersion(version_of(trader_id, decision_id))
    return versions.version_at(trader_id, ts_ms, decision)
