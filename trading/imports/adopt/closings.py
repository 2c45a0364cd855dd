"""Positions that are open here and closed, or opened again, in the other database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from traders.database import sql
from trading.models import OPEN_AND_COUNTED, Position
from trading.record.rules.closing import closed_by
from trading.record.stored import rows
from trading.record.stored.safe_sql import moment_ms
from trading.record.writing.locks import lock_record
from trading.record.writing.positions import rewrite
from trading.schema.common import EARLIER_DATABASE, Versions
from trading.schema.ids import closed_position_id, open_position_id
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import UnreadableLeaf
from trading.schema.trade import TradeRecord

Place = tuple[str, str]
"""(trader, symbol)."""
Entry = tuple[str, str, str, int]
"""(trader, symbol, side, milliseconds of the entry)."""

# By the entry, which the engine copied into the trade. Clocks of engine and database differ by less than the hour.
_TRADED = f"""
SELECT k.place, t.close_ts_ms
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[]) WITH ORDINALITY
       AS k (trader_id, symbol, side, opened_ms, closed_ms, place)
  JOIN trades t USING (trader_id, symbol, side)
 WHERE t.close_ts_ms BETWEEN k.opened_ms AND k.closed_ms + 3600000
   AND {moment_ms("t.detail", "time.open_ts_ms")} = k.opened_ms
"""


def closed_as_traded(batch: Sequence[PositionRecord]) -> list[PositionRecord]:
    """Closed positions at the moment of their trade, where it is recorded: a row says when it was last written, some
    milliseconds later. The others, and those of other programs, as they are."""
    places = [place for place, one in enumerate(batch) if one.detail.close]
    closes = [one.detail.close.time_ms for one in batch if one.detail.close]
    if not places:
        return list(batch)
    entries = [list(column) for column in zip(*(_entry(batch[place]) for place in places), strict=True)]
    found: dict[int, int] = {}
    for number, traded_ms in sql.rows(_TRADED, [*entries, closes]):
        place, closed_ms = places[number - 1], closes[number - 1]
        apart = {abs(ms - closed_ms): ms for ms in (found.get(place, traded_ms), traded_ms)}
        found[place] = apart[min(apart)]
    return [_closed_at(one, found.get(place)) for place, one in enumerate(batch)]


def _closed_at(position: PositionRecord, ms: int | None) -> PositionRecord:
    close = position.detail.close
    if ms is None or close is None or close.time_ms == ms:
        return position
    parts = {"close": close.model_copy(update={"time_ms": ms}), "versions": None}
    detail = position.detail.model_copy(update=parts)
    return replace(position, id=closed_position_id(position.trader_id, position.symbol, detail), detail=detail)


def settle(batch: Sequence[PositionRecord]) -> tuple[list[int], int, int]:
    """Closes what is open here and closed there. Returns the places of what is left to be recorded, how many were
    closed, and how many are recorded as closed already."""
    lock_record({position.trader_id for position in batch})
    held = {
        (row.trader_id, row.symbol): row
        for row in _open_rows({position.trader_id for position in batch})
        if row.id in {open_position_id(position.trader_id, position.symbol) for position in batch}
    }
    recorded = _closed_entries(batch)
    left, closed, known = [], 0, 0
    for place, position in enumerate(batch):
        row = held.get((position.trader_id, position.symbol))
        is_same = row is not None and _entry_of(row) == _entry(position)
        if not position.is_open and is_same and row is not None and _close(row, position.detail):
            del held[position.trader_id, position.symbol]
            closed += 1
        elif not is_same and _entry(position) in recorded:
            # Closed here: in the other database too, or there it is open still.
            known += 1
        else:
            if position.is_open and row is not None and not is_same and _close_by_trade(row):
                closed += 1
            left.append(place)
    return left, closed, known


def settle_gone(trader_ids: Collection[str], there: Collection[Place]) -> tuple[int, list[str]]:
    """Closes positions that came from the other database, and of whose symbol it has no row any more, by their trades.
    Returns how many were closed, and the ids of those without a trade."""
    gone = [row for row in _open_rows(trader_ids) if (row.trader_id, row.symbol) not in there and _came_from_there(row)]
    lock_record({row.trader_id for row in gone})
    closed = {row.id: _close_by_trade(row) for row in gone}
    return sum(closed.values()), sorted(name for name, is_closed in closed.items() if not is_closed)


def _open_rows(trader_ids: Iterable[str]) -> list[Position]:
    found = rows.POSITIONS.filter(OPEN_AND_COUNTED, trader__in=list(trader_ids)).order_by("pk")
    return list(found.select_for_update())


def _closed_entries(batch: Sequence[PositionRecord]) -> set[Entry]:
    """Of the positions that are closed here, whatever their ids."""
    found = Position.objects.filter(
        trader__in={position.trader_id for position in batch},
        opened_ms__in={position.detail.entry.time_ms for position in batch},
        status=PositionStatus.CLOSED,
    )
    return set(found.values_list("trader_id", "symbol", "side", "opened_ms"))


def _entry(position: PositionRecord) -> Entry:
    return position.trader_id, position.symbol, str(position.side), position.detail.entry.time_ms


def _entry_of(row: Any) -> Entry | None:
    try:
        return _entry(rows.position(row))
    except UnreadableLeaf:
        return None


def _came_from_there(row: Any) -> bool:
    try:
        origin = rows.position(row).detail.origin
    except UnreadableLeaf:
        return False
    return origin is not None and origin.system == EARLIER_DATABASE


def _close(row: Any, there: PositionDetail) -> bool:
    reading = rows.position_detail(row)
    versions = reading.detail.versions
    exit_version = there.versions.exit if there.versions else None
    update: Mapping[str, Any] = {
        "close": there.close,
        "reported": there.reported,
        "versions": Versions(entry=versions.entry if versions else None, exit=exit_version),
    }
    rewrite(row, PositionStatus.CLOSED, reading.detail.model_copy(update=dict(update)), reading)
    return True


def _close_by_trade(row: Any) -> bool:
    """By the trade with its entry that is recorded here."""
    if not _came_from_there(row):
        return False
    reading, held = rows.position_detail(row), rows.position(row)
    made = closed_by(held, _trades_of(held))
    if made.is_open:
        return False
    rewrite(row, PositionStatus.CLOSED, made.detail, reading)
    return True


def _trades_of(held: PositionRecord) -> list[TradeRecord]:
    found = rows.TRADES.filter(
        trader=held.trader_id, symbol=held.symbol, side=held.side, close_ts_ms__gte=held.detail.entry.time_ms
    )
    entered = held.detail.entry.time_ms
    return [trade for trade in rows.trades(found.order_by("close_ts_ms")) if trade.detail.time.open_ts_ms == entered]
