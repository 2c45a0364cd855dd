"""Positions: opened, changed, and closed together with their trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from traders.database.broken_rules import broken_rule
from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.models import OPEN_AND_COUNTED
from trading.models import Position as PositionRow
from trading.record.exclusions import queries as exclusions
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
from trading.record.stored import rows, versions
from trading.record.stored.constraints import checked
from trading.record.writing import trades
from trading.record.writing.decisions import version_of
from trading.record.writing.locks import lock_record
from trading.schema.common import NANOSECONDS_PER_MS, Side, Versions
from trading.schema.exclusion import who_and_why
from trading.schema.ids import closed_position_id, open_position_id, trade_id
from trading.schema.position import Close, Entry, PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import NotReadable, Reading, read_most, with_unknown
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
    entry_version = _version(trader_id, detail.entry.time_ms, decision_id)
    whole = detail.model_copy(update={"versions": Versions(entry=entry_version)})
    new = PositionRecord(open_position_id(trader_id, symbol), trader_id, symbol, side, PositionStatus.OPEN, whole)
    try:
        with transaction.atomic(), checked(trader_id):
            lock_record([trader_id])
            found = _locked(new.id)
            if found and found.status == PositionStatus.OPEN:
                stored = _read(found)
                if stored != new:
                    raise AlreadyOpen(trader_id, symbol)
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
        row = _open(trader_id, symbol)
        entry = parts.get("entry")
        stored = _salvaged(row, entry.stored() if isinstance(entry, Entry) else None)
        changed = PositionDetail.model_validate({**dict(stored.detail), **parts, "close": None})
        if changed == stored.detail and stored.is_whole:
            return _made(row, PositionStatus.OPEN, changed)
        return _write(row, PositionStatus.OPEN, changed, stored)


def close_position(
    *,
    trader_id: str,
    symbol: str,
    price: Any,
    closed_at_ns: int,
    pnl: Pnl,
    fills: Sequence[Fill] = (),
    decision_id: int | None = None,
    extra: dict[str, Any] | None = None,
) -> TradeRecord:
    """Closes the whole position and records its trade, both or neither.

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
            if (made.detail.pnl, made.detail.prices.avg_exit) != (pnl, price):
                raise RecordConflict("trade", made.id)
            return made
        row = _open_or_none(trader_id, symbol)
        is_late = row is None or close_ms < row.opened_ms
        if is_late and (made := _closed_another_way(trader_id, symbol, close_ms, price, pnl, fills)):
            return made
        row = row or _open(trader_id, symbol)
        try:
            stored = _salvaged(row, _entry_of(row, fills))
        except CannotBeRead as error:
            raise InvalidRecord("fills", _("must hold the fills of the entry: %(error)s", error=error)) from error
        held = _made(row, PositionStatus.OPEN, stored.detail)
        if close_ms < held.detail.entry.time_ms:
            raise InvalidRecord(
                "closed_at_ns", _("must not lie before the entry, %(time_ms)s ms", time_ms=held.detail.entry.time_ms)
            )
        entry = held.detail.versions.entry if held.detail.versions else None
        closed = held.detail.model_copy(
            update={
                "close": Close(price=price, time_ms=close_ms, quantity=held.detail.entry.quantity, pnl=pnl.net),
                "versions": Versions(entry=entry, exit=_version(trader_id, close_ms, decision_id)),
            }
        )
        trade = _trade(held, closed, pnl, fills, closed_at_ns)
        if extra:
            trade = replace(trade, detail=trade.detail.model_copy(update={"extra": extra}))
        _write(row, PositionStatus.CLOSED, closed, stored)
        made, _is_new = trades.insert(trade)
    return made


def _closed_another_way(
    trader_id: str, symbol: str, close_ms: int, price: Any, pnl: Pnl, fills: Sequence[Fill]
) -> TradeRecord | None:
    """The trade of this very close, where it was recorded from an export or an arena's files. Raises RecordConflict for
    one of the same fills that contradicts it."""
    for made in trades.closed_at(trader_id, symbol, close_ms):
        as_asked = replace(
            made,
            detail=made.detail.model_copy(
                update={
                    "pnl": pnl,
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


def open_of_trader(trader_id: str) -> list[Any]:
    """(symbol, side, quantity, entry_price, leverage) of what the trader holds."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_OF_TRADER, [trader_id])
        return list(cursor.fetchall())


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
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_IN_SYMBOL, [symbol])
        return list(cursor.fetchall())


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


def _salvaged(row: PositionRow, entry: dict[str, Any] | None) -> Reading[PositionDetail]:
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


def _open(trader_id: str, symbol: str) -> PositionRow:
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


def _write(
    row: PositionRow, status: PositionStatus, detail: PositionDetail, before: Reading[PositionDetail]
) -> PositionRecord:
    with connection.cursor() as cursor:
        whole = with_unknown(detail.stored(), before.unknown)
        cursor.execute(_UPDATE, [status, jsonio.dumps(whole), row.id])
    return _made(row, status, detail)


def _made(row: PositionRow, status: PositionStatus, detail: PositionDetail) -> PositionRecord:
    return PositionRecord(row.id, row.trader_id, row.symbol, Side(row.side), status, detail)


def _version(trader_id: str, ts_ms: int, decision_id: int | None) -> int | None:
    return versions.version_at(trader_id, ts_ms) if decision_id is None else version_of(decision_id)


def _trade(
    found: PositionRecord, closed: PositionDetail, pnl: Pnl, fills: Sequence[Fill], closed_at_ns: int
) -> TradeRecord:
    entry, close, risk = closed.entry, closed.close, closed.risk
    assert close is not None
    held = Decimal(close.time_ms - entry.time_ms) / MS_PER_SECOND
    detail = TradeDetail(
        time=Time(open_ts_ms=entry.time_ms, close_ts_ms=close.time_ms, duration_seconds=held),
        prices=Prices(avg_entry=entry.price, avg_exit=close.price),
        quantity=Quantity(total=close.quantity),
        pnl=pnl,
        risk=TradeRisk(leverage=entry.leverage, confidence=risk.confidence if risk else None),
        exchange=closed.exchange,
        fills=tuple(fills),
        exit_plan=closed.exit_plan,
        versions=closed.versions,
    )
    return TradeRecord(
        trade_id(found.trader_id, found.symbol, closed_at_ns), found.trader_id, found.symbol, found.side, detail
    )
