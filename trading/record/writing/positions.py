"""Positions: opened, changed, and closed together with their trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from traders.database import sql
from traders.database.broken_rules import broken_rule
from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.models import OPEN_AND_COUNTED
from trading.models import Position as PositionRow
from trading.record.exclusions import queries as exclusions
from trading.record.rules.closing import closed_as, last_part, trade_of
from trading.record.rules.errors import (
    AlreadyOpen,
    CannotBeRead,
    ConcurrentRecord,
    InvalidRecord,
    NoOpenPosition,
    RecordConflict,
    SetAside,
)
from trading.record.rules.identity import Likeness, have_same_fills, likeness
from trading.record.rules.parts import whole_of
from trading.record.stored import rows, versions
from trading.record.stored.constraints import checked
from trading.record.writing import trades
from trading.record.writing.decisions import version_of
from trading.record.writing.locks import lock_record
from trading.schema.common import NANOSECONDS_PER_MS, EventKind, Side, Versions
from trading.schema.exclusion import who_and_why
from trading.schema.ids import closed_position_id, open_position_id, trade_id
from trading.schema.position import Entry, PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import NotReadable, Reading, read_most, with_unknown
from trading.schema.trade import Fill, FillType, Pnl, TradeRecord
from trading.schema.unreadable import Unreadable

_INSERT = """
INSERT INTO positions (id, trader_id, symbol, side, status, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
"""
_UPDATE = "UPDATE positions SET status = %s, detail = %s::jsonb, updated_at = clock_timestamp() WHERE id = %s"
# What cannot be read names no close and no order: the entry's time and a digest of the text tell it apart.
_MAKE_WAY_UNREAD = """
UPDATE positions SET id = concat_ws('|', trader_id, symbol, opened_ms, left(md5(detail::text), 12)) WHERE id = %s
"""
# The literal, not a parameter: a generic plan could not use the partial index.
_OPEN_OF_TRADER = """
SELECT symbol, side, quantity, entry_price, leverage
  FROM positions WHERE trader_id = %s AND status = 'open' AND exclusion_id IS NULL ORDER BY symbol
"""
_OPEN_IN_SYMBOL = """
SELECT id, trader_id, side, quantity FROM positions WHERE symbol = %s AND status = 'open' AND exclusion_id IS NULL
"""


def open_position(
    *, trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None = None
) -> PositionRecord:
    """Records an entry. The version that opened it is the decision's, else the one valid at the entry's time.

    The same position again changes nothing, also where it was set aside. Raises AlreadyOpen when another one is open,
    RecordConflict when this one was closed already, SetAside when it was closed and set aside, CannotBeRead when the
    open one cannot be compared, UnknownTrader, ConcurrentRecord.
    """
    entry_version = version_for(trader_id, detail.entry.time_ms, decision_id)
    whole = detail.model_copy(update={"versions": Versions(entry=entry_version)})
    new = PositionRecord(open_position_id(trader_id, symbol), trader_id, symbol, side, PositionStatus.OPEN, whole)
    try:
        with transaction.atomic(), checked(trader_id):
            lock_record([trader_id])
            found = _locked(new.id)
            if found and found.status == PositionStatus.OPEN:
                stored = _read(found)
                if stored != new:
                    raise AlreadyOpen(trader_id, symbol, stored.side, side)
                return stored
            if aside := exclusions.position_aside(trader_id, symbol, side, detail.entry.time_ms):
                return _as_it_was(aside)
            if closed := _closed_before(new):
                raise RecordConflict("position", closed)
            if found:
                make_way(found)
            insert(new)
    except IntegrityError as error:
        if broken_rule(error):
            raise
        raise ConcurrentRecord(
            _("%(trader_id)s opened %(symbol)s twice at the same moment", trader_id=trader_id, symbol=symbol)
        ) from error
    return new


def update_position(*, trader_id: str, symbol: str, **parts: Any) -> PositionRecord:
    """Replaces whole parts of an open position's detail: exit_plan, orders, risk, reported, exchange or entry.

    What is equal already is not written, and what this release does not know of it stays. A detail that cannot be read
    is written again as far as it can be. Raises NoOpenPosition, CannotBeRead.
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
    """Closes all that is held of the position and records its trade, both or neither. The trade is of the whole
    position, the parts that were closed before included; `pnl` is that of this close (`rules.parts.whole_of`).

    The same close again returns the trade it made, also when the symbol was opened again since. Raises NoOpenPosition,
    SetAside when the open position was set aside, RecordConflict, and InvalidRecord for a close before the entry.

    A position whose detail cannot be read is closed all the same: what cannot be read of its entry is taken from the
    entry's `fills`. Raises InvalidRecord where they do not tell it either.
    """
    close_ms = closed_at_ns // NANOSECONDS_PER_MS
    with transaction.atomic():
        lock_record([trader_id])
        own_id = trade_id(trader_id, symbol, closed_at_ns)
        if made := trades.stored(own_id):
            if not _is_close_of(made, price, pnl):
                raise RecordConflict("trade", made.id)
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
                "closed_at_ns", _("must not lie before the entry, %(time_ms)s ms", time_ms=held.detail.entry.time_ms)
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
    """The trade of this very close, where it was recorded from an export or an arena's files. Raises RecordConflict for
    one of the same fills that contradicts it."""
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
            raise RecordConflict("trade", made.id)
    return None


def _is_close_of(made: TradeRecord, price: Any, pnl: Pnl | None) -> bool:
    """Whether a close as it was asked made this trade. Of several parts, the last event of the position holds what was
    asked."""
    if (made.detail.prices.avg_exit, pnl or made.detail.pnl) == (price, made.detail.pnl):
        return True
    same = rows.POSITIONS.filter(trader=made.trader_id, symbol=made.symbol, opened_ms=made.detail.time.open_ts_ms)
    for position in rows.positions(same.filter(status=PositionStatus.CLOSED)):
        last = position.detail.events[-1] if position.detail.events else None
        if last is not None and last.kind is EventKind.CLOSE and last.price == price:
            return pnl in (None, made.detail.pnl) or (pnl.gross, pnl.commission) == (last.gross, last.commission)
    return False


def _entry_kept(stored: PositionDetail, new: Entry | None) -> Entry:
    """What remains of a position is told by its events alone; an entry that is sent again says what it was at first."""
    if new is None or not stored.events:
        return new or stored.entry
    leverage = new.leverage if new.leverage is not None else stored.entry.leverage
    return stored.entry.model_copy(update={"leverage": leverage})


def open_of_trader(trader_id: str) -> list[Any]:
    """(symbol, side, quantity, entry_price, leverage) of what the trader holds."""
    return sql.rows(_OPEN_OF_TRADER, [trader_id])


def open_whole(trader_id: str) -> list[PositionRecord]:
    """What the trader holds, with its detail, by symbol. What cannot be read is left out and noted."""
    return list(rows.positions(rows.POSITIONS.filter(OPEN_AND_COUNTED, trader=trader_id).order_by("symbol")))


def open_known(trader_id: str, symbol: str) -> tuple[Side, int] | None:
    """(side, milliseconds of its entry) of what the trader holds in the symbol: by these it is known again. Read from
    columns, so that a detail that cannot be read hides no position."""
    found = PositionRow.objects.filter(OPEN_AND_COUNTED, trader=trader_id, symbol=symbol)
    row = found.values_list("side", "opened_ms").first()
    return (Side(row[0]), int(row[1])) if row else None


def open_in_symbol(symbol: str) -> list[Any]:
    """(id, trader_id, side, quantity) of who holds the symbol."""
    return sql.rows(_OPEN_IN_SYMBOL, [symbol])


def insert(new: PositionRecord) -> None:
    """In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [new.id, new.trader_id, new.symbol, new.side, new.status, jsonio.dumps(new.detail.stored())]
        )


def _locked(position_id: str) -> PositionRow | None:
    found: PositionRow | None = rows.POSITIONS.select_for_update().filter(pk=position_id).first()
    return found


def _read(row: PositionRow) -> PositionRecord:
    """Raises CannotBeRead."""
    try:
        return rows.position(row)
    except NotReadable as error:
        raise CannotBeRead(Unreadable(_("positions"), row.id, error.path, error.reason)) from error


def salvaged(row: PositionRow, entry: dict[str, Any] | None) -> Reading[PositionDetail]:
    """As much of the detail as can be read, with `entry` in the place of one that cannot. Raises CannotBeRead."""
    try:
        return read_most(PositionDetail, row.detail)
    except NotReadable as error:
        if entry is None:
            raise CannotBeRead(Unreadable(_("positions"), row.id, error.path, error.reason)) from error
        rest = row.detail if isinstance(row.detail, dict) else {}
        found = read_most(PositionDetail, {**rest, "entry": entry})
        return Reading(found.detail, found.known, found.unknown, is_whole=False)


def _entry_of(row: PositionRow, fills: Sequence[Fill]) -> dict[str, Any] | None:
    """The entry as its fills tell it."""
    entered = [fill for fill in fills if fill.type is FillType.ENTRY]
    if not entered:
        return None
    quantity = sum((fill.quantity for fill in entered), Decimal(0))
    paid = sum((fill.price * fill.quantity for fill in entered), Decimal(0))
    opened = row.opened_ms if EARLIEST_MS <= row.opened_ms <= LATEST_MS else min(fill.ts_ms for fill in entered)
    return {"price": paid / quantity, "quantity": quantity, "time_ms": opened}


def _closed_before(new: PositionRecord) -> str | None:
    """The id under which this very position, known by its side and entry, was closed: its opening comes late."""
    same = PositionRow.objects.filter(trader=new.trader_id, status="closed", symbol=new.symbol, side=new.side)
    return same.filter(opened_ms=new.detail.entry.time_ms).values_list("pk", flat=True).first()


def _open_or_none(trader_id: str, symbol: str) -> PositionRow | None:
    found = _locked(open_position_id(trader_id, symbol))
    return found if found and found.status == PositionStatus.OPEN else None


def require_open(trader_id: str, symbol: str) -> PositionRow:
    found = _open_or_none(trader_id, symbol)
    if found is None:
        if aside := exclusions.open_aside(trader_id, symbol):
            raise SetAside(f"the open position of {trader_id} in {symbol}", who_and_why(exclusions.entry_of(aside)))
        raise NoOpenPosition(trader_id, symbol)
    return found


def _as_it_was(aside: PositionRow) -> PositionRecord:
    """An open position that was set aside, as it is stored. Raises CannotBeRead, and SetAside for a closed one."""
    if aside.status == PositionStatus.CLOSED:
        raise SetAside(f"the position {aside.id}", who_and_why(exclusions.entry_of(aside)))
    return _read(aside)


def make_way(closed: PositionRow) -> None:
    """The plan's id is that of the open position: the closed one moves to an id of its own."""
    try:
        own = closed_position_id(closed.trader_id, closed.symbol, rows.position(closed).detail)
        PositionRow.objects.filter(pk=closed.id).update(id=own)
    except NotReadable:
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_WAY_UNREAD, [closed.id])


def rewrite(
    row: PositionRow, status: PositionStatus, detail: PositionDetail, before: Reading[PositionDetail]
) -> PositionRecord:
    with connection.cursor() as cursor:
        whole = with_unknown(detail.stored(), before.unknown)
        cursor.execute(_UPDATE, [status, jsonio.dumps(whole), row.id])
    return _made(row, status, detail)


def _made(row: PositionRow, status: PositionStatus, detail: PositionDetail) -> PositionRecord:
    return PositionRecord(row.id, row.trader_id, row.symbol, Side(row.side), status, detail)


def version_for(trader_id: str, ts_ms: int, decision_id: int | None) -> int | None:
    return versions.version_at(trader_id, ts_ms) if decision_id is None else version_of(decision_id)
