"""Setting rows of the record aside: the one writer of `record_exclusions`.

Locks, in this order: the advisory lock `nof0.set_aside` (one change at a time, and none while a bulk load runs, which
holds sums of many versions until its end), positions, trades, decisions and equity in order of id, then the sums of
versions. Engines lock a position before its trade, and the trade before the sums: no two wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from traders.database import sql
from traders.schema.messages import _
from trading.models import DecisionJournal, EquitySnapshot, Position, RecordExclusion, Trade
from trading.record.exclusions.queries import POSITIONS, exclusion
from trading.record.rules.errors import AlreadyOpen, ConcurrentRecord, RecordBusy
from trading.record.stored import rows
from trading.schema.exclusion import Exclusion, ExclusionAction, RecordKey, RecordKind, equity_id
from trading.schema.ids import aside_position_id, closed_position_id, open_position_id
from trading.schema.tolerant import NotReadable

LARGEST_ID = 2**63 - 1
# So long a change waits for an import; a page must answer.
WAIT_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('nof0.set_aside'))"
_INSERT = """
INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor, account_id)
SELECT kind, record_id, trader_id, %(action)s, %(reason)s, %(actor)s, %(account_id)s
  FROM unnest(%(kinds)s::text[], %(ids)s::text[], %(traders)s::text[]) AS e (kind, record_id, trader_id)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class LockedRow:
    """A locked row: whose it is, and the entry that set it aside, None while it counts. `ends_as` is the id under which
    the entry names it."""

    key: RecordKey
    trader_id: str
    exclusion_id: int | None
    ends_as: str


@contextmanager
def locked() -> Iterator[None]:
    """A transaction in which no other session sets rows aside and no bulk load runs. Raises RecordBusy."""
    until = time.monotonic() + WAIT_SECONDS
    with transaction.atomic():
        # Asked again and again, never waited for: a waiting exclusive lock would hold up every engine's equity.
        while not _is_ours():
            if time.monotonic() > until:
                raise RecordBusy
            time.sleep(_LOOK_SECONDS)
        yield


def _is_ours() -> bool:
    return bool(sql.value(_LOCK))


def lock_rows(keys: Collection[RecordKey]) -> dict[RecordKey, LockedRow]:
    """Those that are there, locked. A position of which an id is asked that it had while it was open, or set aside, is
    not: ids are those of now. Call it inside `locked`."""
    found: dict[RecordKey, LockedRow] = {}
    for kind in (RecordKind.POSITION, RecordKind.TRADE, RecordKind.DECISION, RecordKind.EQUITY):
        # No column holds a NUL.
        ids = sorted({key.id for key in keys if key.kind is kind and "\0" not in key.id})
        if ids:
            found |= {row.key: row for row in _READERS[kind](ids)}
    return found


def write(
    marked: Sequence[LockedRow], action: ExclusionAction, *, reason: str, actor: str, account_id: int | None
) -> list[Exclusion]:
    """One entry for each row, and everything that follows from it. Call it inside `locked`.

    Raises AlreadyOpen for an open position whose symbol was opened again since it was set aside.
    """
    if not marked:
        return []
    for row in marked:
        if row.key.kind is RecordKind.POSITION:
            _make_way(row, action)
    asked = {
        "action": action,
        "reason": reason,
        "actor": actor,
        "account_id": account_id,
        "kinds": [row.key.kind for row in marked],
        "ids": [row.ends_as for row in marked],
        "traders": [row.trader_id for row in marked],
    }
    try:
        with transaction.atomic():
            ids = sql.values(_INSERT, asked)
    except IntegrityError as error:
        raise ConcurrentRecord(
            _("the record does not allow it as it is now; nothing was changed: %(error)s", error=error)
        ) from error
    return [exclusion(row) for row in RecordExclusion.objects.filter(pk__in=ids).order_by("pk")]


def _trades(ids: Sequence[str]) -> Iterator[LockedRow]:
    found = Trade.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    for name, trader_id, mark in found.values_list("pk", "trader_id", "exclusion_id"):
        yield LockedRow(RecordKey(RecordKind.TRADE, name), trader_id, mark, name)


def _decisions(ids: Sequence[str]) -> Iterator[LockedRow]:
    numbers = [int(name) for name in ids if name.isdigit() and _is_number(name)]
    found = DecisionJournal.objects.filter(pk__in=numbers).order_by("pk").select_for_update()
    for number, trader_id, mark in found.values_list("pk", "trader_id", "exclusion_id"):
        yield LockedRow(RecordKey(RecordKind.DECISION, str(number)), trader_id, mark, str(number))


def _equity(ids: Sequence[str]) -> Iterator[LockedRow]:
    wanted = [(trader_id, ts_ms) for trader_id, _bar, ts_ms in (name.partition("|") for name in ids)]
    for trader_id, ts_ms in wanted:
        if not _is_number(ts_ms):
            continue
        found = EquitySnapshot.objects.filter(trader=trader_id, ts_ms=int(ts_ms)).select_for_update()
        for moment, mark in found.values_list("ts_ms", "exclusion_id"):
            name = equity_id(trader_id, moment)
            yield LockedRow(RecordKey(RecordKind.EQUITY, name), trader_id, mark, name)


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    # Python reads no number of thousands of digits.
    is_short = digits.isascii() and digits.isdigit() and len(digits) <= len(str(LARGEST_ID))
    return is_short and int(digits) <= LARGEST_ID


def _positions(ids: Sequence[str]) -> Iterator[LockedRow]:
    """Does not read their detail, so that an unreadable row can be set aside as well."""
    for row in POSITIONS.filter(pk__in=ids).order_by("pk").select_for_update():
        yield LockedRow(RecordKey(RecordKind.POSITION, row.id), row.trader_id, row.exclusion_id, _lasting_id(row))


_READERS: dict[RecordKind, Callable[[Sequence[str]], Iterator[LockedRow]]] = {
    RecordKind.TRADE: _trades,
    RecordKind.POSITION: _positions,
    RecordKind.DECISION: _decisions,
    RecordKind.EQUITY: _equity,
}


def _lasting_id(row: Position) -> str:
    """The id that no later position of the symbol will have."""
    if row.id != open_position_id(row.trader_id, row.symbol):
        return row.id
    if row.status == "closed":
        try:
            return closed_position_id(row.trader_id, row.symbol, rows.position(row).detail)
        except (NotReadable, ValueError):
            pass
    return aside_position_id(row.trader_id, row.symbol, row.opened_ms, row.side)


def _make_way(row: LockedRow, action: ExclusionAction) -> None:
    """A closed position leaves the id of the open one before it is set aside. Of an open position that is taken back in
    that id must be free, and a closed row that has it moves."""
    if action is ExclusionAction.EXCLUDE:
        Position.objects.filter(pk=row.key.id, status="closed").exclude(pk=row.ends_as).update(id=row.ends_as)
        return
    position = POSITIONS.filter(pk=row.key.id, status="open").first()
    if position is None:
        return
    place = open_position_id(position.trader_id, position.symbol)
    there = POSITIONS.select_for_update().filter(pk=place).first()
    if there is None:
        return
    if there.status == "open":
        raise AlreadyOpen(position.trader_id, position.symbol)
    Position.objects.filter(pk=place).update(id=_lasting_id(there))
