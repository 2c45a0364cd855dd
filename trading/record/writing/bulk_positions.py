"""Many positions at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traders.schema import jsonio
from trading.models import Position as PositionRow
from trading.record.exclusions import queries as exclusions
from trading.record.rules.identity import ENTRY_TOLERANCE_MS, is_near
from trading.record.stored import rows
from trading.record.stored.copying import copy_rows, utc
from trading.record.stored.outcome import WriteOutcome, sorted_out
from trading.record.stored.spread import judging
from trading.record.writing import positions
from trading.record.writing.against import marked_many
from trading.record.writing.locks import lock_record
from trading.schema.ids import open_position_id
from trading.schema.position import PositionRecord, PositionStatus

NOT_COMPARED = ("versions", "reported", "against_control")
# Equal to no content: the position is reported as a conflict, and nothing is changed.
UNREADABLE = "unreadable"
_COLUMNS = ("id", "trader_id", "symbol", "side", "status", "detail", "created_at")


def copy_positions(batch: Sequence[PositionRecord]) -> WriteOutcome:
    """Adds the positions that are not recorded yet. The comparison leaves out the last report of a source, the versions
    and the mark of an entry against a control.

    A position that was closed or set aside since counts as recorded, whatever the batch says. A closed row makes way
    for another position that is open.
    """
    lock_record(position.trader_id for position in batch)
    stored = _stored(batch)
    aside = exclusions.positions_aside({position.trader_id for position in batch})
    is_aside = {position.id: _entry_key(position) in aside for position in batch}
    taken = {
        position.id: _content(position) if is_aside[position.id] else _taken(position, stored) for position in batch
    }
    new, outcome = sorted_out(
        batch,
        {key: content for key, content in taken.items() if content is not None},
        key=_id,
        content=_content,
        name=_id,
    )
    outcome.set_aside = sum(is_aside[position.id] for position in batch)
    for position in new:
        if position.is_open and (closed := stored.row(position.id)):
            positions.make_way(closed)
    copy_rows("positions", _COLUMNS, [_row(position) for position in marked_many(new)])
    judging.explained(positions.moments_of(new))
    return outcome


def _id(position: PositionRecord) -> str:
    return position.id


@dataclass(frozen=True)
class _Stored:
    """Rows by id, and the readable ones among them."""

    rows: Mapping[str, PositionRow]
    positions: Mapping[str, PositionRecord]

    def row(self, position_id: str) -> PositionRow | None:
        return self.rows.get(position_id)

    def blocks(self, position: PositionRecord) -> bool:
        """Whether an unreadable row has the position's id. An open position may replace a closed row."""
        row = self.rows.get(position.id)
        if row is None or position.id in self.positions:
            return False
        return row.status == PositionStatus.OPEN or not position.is_open


def _stored(batch: Sequence[PositionRecord]) -> _Stored:
    """Rows with the ids of the batch, and with the ids that its positions would have while open."""
    ids = {position.id for position in batch}
    ids |= {open_position_id(position.trader_id, position.symbol) for position in batch}
    found = {
        row.id: row
        for trader_id in sorted({position.trader_id for position in batch})
        # Rows of several servers cannot be locked in one statement.
        for row in rows.POSITIONS.named(ids, [trader_id]).select_for_update().order_by("pk")
    }
    return _Stored(found, {one.id: one for one in rows.positions(found.values())})


def _taken(position: PositionRecord, stored: _Stored) -> str | None:
    """The content to compare the position with; None when the position is new."""
    if stored.blocks(position):
        return UNREADABLE
    at_place = stored.positions.get(position.id)
    at_open = stored.positions.get(open_position_id(position.trader_id, position.symbol))
    if at_open and _is_same_entry(at_open, position) and not at_open.is_open:
        return _content(position)
    if at_place and at_place.is_open and _came_another_way(at_place, position) and _is_same_entry(at_place, position):
        return _content(position)
    if at_place and (at_place.is_open or not position.is_open):
        return _content(at_place)
    if at_open and at_open.is_open and _is_same_entry(at_open, position):
        return _content(at_open)
    return None


def _entry_key(position: PositionRecord) -> exclusions.EntryKey:
    return position.trader_id, position.symbol, str(position.side), position.detail.entry.time_ms


def _came_another_way(one: PositionRecord, other: PositionRecord) -> bool:
    """Sources keep different leaves of one position: an export holds half of what an engine reports."""
    return _system(one) != _system(other)


def _system(position: PositionRecord) -> str | None:
    return position.detail.origin.system if position.detail.origin else None


def _is_same_entry(one: PositionRecord, other: PositionRecord) -> bool:
    """Compares side and entry; and orders and leverage where both have them."""
    first, second = one.detail, other.detail
    orders = [detail.orders.entry_oid if detail.orders else None for detail in (first, second)]
    named = [str(order) for order in orders if order is not None]
    return (
        one.side is other.side
        and abs(first.entry.time_ms - second.entry.time_ms) <= (ENTRY_TOLERANCE_MS if len(named) > 1 else 0)
        and is_near(first.entry.price, second.entry.price)
        and is_near(first.entry.quantity, second.entry.quantity)
        and len(set(named)) <= 1
        and (first.entry.leverage == second.entry.leverage or None in (first.entry.leverage, second.entry.leverage))
    )


def _content(position: PositionRecord) -> str:
    detail = position.detail.stored()
    compared = {name: value for name, value in detail.items() if name not in NOT_COMPARED}
    return jsonio.canonical([position.trader_id, position.symbol, str(position.side), str(position.status), compared])


def _row(position: PositionRecord) -> tuple[object, ...]:
    detail = jsonio.dumps(position.detail.stored())
    at = position.created_at or utc(position.detail.entry.time_ms)
    return position.id, position.trader_id, position.symbol, position.side, position.status, detail, at
