"""The only writer of `record_exclusions`: sets rows of the record aside.

Locks, in this order: the advisory lock `nof0.set_aside` (one change at a time, and none while a bulk load runs, which
holds sums of many versions until its end), positions, trades, decisions and equity in order of id, then the sums of
versions. Engines lock a position before its trade, and the trade before the sums: no two wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from traders.database import sql
from traders.schema.messages import _
from trading.managers import RecordManager
from trading.models import DecisionJournal, EquitySnapshot, Position, RecordExclusion, Trade
from trading.record.exclusions import corrected
from trading.record.exclusions.queries import POSITIONS, exclusion
from trading.record.rules.errors import AlreadyOpen, ConcurrentRecord, CountedInPlace, RecordBusy
from trading.record.stored import rows
from trading.record.stored.spread import marks
from trading.record.stored.spread.form import is_spread
from trading.schema.exclusion import (
    Exclusion,
    ExclusionAction,
    RecordKey,
    RecordKind,
    equity_id,
    equity_key,
    key_of_decision,
)
from trading.schema.ids import aside_position_id, closed_position_id, next_correction_id, open_position_id
from trading.schema.tolerant import UnreadableLeaf

# Of a number that PostgreSQL's bigint holds, and that names a row.
ID_DIGITS = 18
# A change waits at most this long for an import, because a page must answer.
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
    """A locked row of a trader. `exclusion_id`: the entry that set it aside, None if it counts. `ends_as`: its id after
    the change, which the new entry names."""

    key: RecordKey
    trader_id: str
    exclusion_id: int | None
    ends_as: str


@contextmanager
def locked() -> Iterator[None]:
    """A transaction in which no other session sets rows aside and no bulk load runs. Raises RecordBusy."""
    until = time.monotonic() + WAIT_SECONDS
    with transaction.atomic():
        # It polls instead of waiting in PostgreSQL: a waiting exclusive lock would block the equity of every engine.
        while not _is_ours():
            if time.monotonic() > until:
                raise RecordBusy
            time.sleep(_LOOK_SECONDS)
        yield


def _is_ours() -> bool:
    return bool(sql.value(_LOCK))


def lock_rows(keys: Collection[RecordKey]) -> dict[RecordKey, LockedRow]:
    """Locks and returns the rows that exist. A position is found by its current id only, not by one it had while it
    was open or set aside. Call it inside `locked`."""
    found: dict[RecordKey, LockedRow] = {}
    for kind in (RecordKind.POSITION, RecordKind.TRADE, RecordKind.DECISION, RecordKind.EQUITY):
        # No column holds a NUL.
        wanted = sorted({key for key in keys if key.kind is kind and "\0" not in key.id})
        if wanted:
            found |= {row.key: row for row in _READERS[kind](wanted)}
    return found


def write(
    marked: Sequence[LockedRow], action: ExclusionAction, *, reason: str, actor: str, account_id: int | None
) -> list[Exclusion]:
    """Writes one entry for each row; triggers update the rows and their sums. Call it inside `locked`.

    Raises AlreadyOpen for an open position if its symbol was opened again since it was set aside, and CountedInPlace
    for a row if another one counts in its place.
    """
    if not marked:
        return []
    for row in marked:
        if action is ExclusionAction.INCLUDE:
            _require_the_only_one(row, {one.key for one in marked})
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
            if is_spread():
                named = RecordExclusion.objects.filter(pk__in=ids).values_list("pk", "kind", "trader_id", "record_id")
                marks.entries_added(action, named.order_by("pk"))
    except IntegrityError as error:
        raise ConcurrentRecord(
            _("the record does not allow it as it is now; nothing was changed: %(error)s", error=error)
        ) from error
    return [exclusion(row) for row in RecordExclusion.objects.filter(pk__in=ids).order_by("pk")]


def _trades(keys: Sequence[RecordKey]) -> Iterator[LockedRow]:
    for trader_id, names in _by_trader(Trade.objects, [key.id for key in keys], _owners(keys)):
        found = Trade.objects.named(names, [trader_id]).order_by("pk").select_for_update()
        for name, mark in found.values_list("pk", "exclusion_id"):
            yield LockedRow(RecordKey(RecordKind.TRADE, name, trader_id), trader_id, mark, name)


def _decisions(keys: Sequence[RecordKey]) -> Iterator[LockedRow]:
    numbers = [int(key.id) for key in keys if key.id.isascii() and key.id.isdigit() and len(key.id) <= ID_DIGITS]
    for trader_id, ids in _by_trader(DecisionJournal.objects, numbers, _owners(keys)):
        found = DecisionJournal.objects.named(ids, [trader_id]).order_by("pk").select_for_update()
        for number, mark in found.values_list("pk", "exclusion_id"):
            yield LockedRow(key_of_decision(trader_id, number), trader_id, mark, str(number))


def _equity(keys: Sequence[RecordKey]) -> Iterator[LockedRow]:
    for point in sorted({point for key in keys if (point := equity_key(key.id))}):
        found = EquitySnapshot.objects.filter(pk=point).select_for_update()
        for mark in found.values_list("exclusion_id", flat=True):
            name = equity_id(*point)
            yield LockedRow(RecordKey(RecordKind.EQUITY, name, point[0]), point[0], mark, name)


def _by_trader(
    rows: RecordManager[Any], ids: Sequence[Any], owners: set[str] | None
) -> Iterator[tuple[str, Sequence[Any]]]:
    """(trader, ids among which are its own), in order of traders: rows of several servers cannot be locked in one
    statement."""
    known = set(rows.owners(ids).values()) if owners is None else owners
    return ((trader_id, ids) for trader_id in sorted(known))


def _owners(keys: Sequence[RecordKey]) -> set[str] | None:
    """The traders of these rows where all of them are known."""
    named = {key.trader_id for key in keys}
    return None if None in named else {name for name in named if name is not None}


def _positions(keys: Sequence[RecordKey]) -> Iterator[LockedRow]:
    """Does not read their detail, so that an unreadable row can be set aside as well."""
    for trader_id, ids in _by_trader(Position.objects, [key.id for key in keys], _owners(keys)):
        for row in POSITIONS.named(ids, [trader_id]).order_by("pk").select_for_update():
            yield LockedRow(
                RecordKey(RecordKind.POSITION, row.id, trader_id), trader_id, row.exclusion_id, _lasting_id(row)
            )


_READERS: dict[RecordKind, Callable[[Sequence[RecordKey]], Iterator[LockedRow]]] = {
    RecordKind.TRADE: _trades,
    RecordKind.POSITION: _positions,
    RecordKind.DECISION: _decisions,
    RecordKind.EQUITY: _equity,
}


def _lasting_id(row: Position) -> str:
    """The id that no later position of the symbol will have; of an open one that corrects another, that of its
    correction."""
    if row.id != open_position_id(row.trader_id, row.symbol):
        return row.id
    if row.status == "closed":
        try:
            return closed_position_id(row.trader_id, row.symbol, rows.position(row).detail)
        except (UnreadableLeaf, ValueError):
            pass
    corrects = row.detail.get("corrects") if isinstance(row.detail, dict) else None
    if isinstance(corrects, str):
        return next_correction_id(corrects)
    return aside_position_id(row.trader_id, row.symbol, row.opened_ms, row.side)


def _require_the_only_one(row: LockedRow, included: Collection[RecordKey]) -> None:
    """Of a row and its corrections one counts."""
    for one in corrected.family(row.key):
        counts = not one.is_aside or RecordKey(row.key.kind, one.id) in included
        if counts and one.id != row.key.id:
            raise CountedInPlace(row.key.id, one.id)


def _make_way(row: LockedRow, action: ExclusionAction) -> None:
    """Frees the id of the symbol's open position where the change needs it free.

    A closed position that still has that id gets its lasting id before it is set aside. An open position that is
    included again needs the id: a closed row that has it gets its lasting id.
    """
    if action is ExclusionAction.EXCLUDE:
        there = Position.objects.named([row.key.id], [row.trader_id]).filter(status="closed")
        there.exclude(pk=row.ends_as).update(id=row.ends_as)
        return
    position = POSITIONS.filter(status="open").one(row.key.id, row.trader_id)
    if position is None:
        return
    place = open_position_id(position.trader_id, position.symbol)
    holder = POSITIONS.select_for_update().one(place, row.trader_id)
    if holder is None:
        return
    if holder.status == "open":
        raise AlreadyOpen(position.trader_id, position.symbol)
    Position.objects.named([place], [row.trader_id]).update(id=_lasting_id(holder))
