"""Marks entries that were made although a control banned them: what happened at an exchange is recorded anyway."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from traders.controls import queries as controls
from traders.controls.rules import TraderFacts, is_banned_throughout
from traders.models import TraderConfig
from traders.schema.controls.rows import Control
from trading.record.stored import versions
from trading.schema.common import EARLIER_DATABASE, AgainstControl, EventKind
from trading.schema.position import PositionDetail, PositionRecord
from trading.schema.trade import FillType, TradeRecord

# An order that was sent before the engine heard of the ban fills within it.
GRACE = timedelta(seconds=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Entered = TypeVar("Entered", PositionRecord, TradeRecord)


def marked(detail: PositionDetail, trader_id: str, entry_ms: int) -> PositionDetail:
    """The detail with the mark, if entries had been banned for longer than the grace at this moment. The first mark
    stays."""
    if detail.against_control is not None:
        return detail
    until = _moment(entry_ms)
    since = until - GRACE
    was_retired = all(versions.is_retired_at(trader_id, moment) for moment in (since, until))
    mark = _mark(controls.between(trader_id, since=since, until=until), entry_ms, was_retired=was_retired)
    return detail if mark is None else detail.model_copy(update={"against_control": mark})


def marked_many(records: Sequence[Entered]) -> list[Entered]:
    """As `marked`, at each entry and increase of positions and trades. Most of an import are older than any control and
    cost nothing; for all others a few statements together. What an earlier engine did was never told of a control."""
    concerned = {record.trader_id for record in records}
    first = controls.first_moments(concerned)
    retired = set(TraderConfig.objects.filter(pk__in=concerned, retired=True).values_list("pk", flat=True))
    late = {
        record.trader_id
        for record in records
        if record.trader_id in retired
        or (record.trader_id in first and first[record.trader_id] <= _moment(max(_entries(record))))
    }
    if not late:
        return list(records)
    rows, timelines = controls.all_of(late), versions.timelines(late)
    return [
        _marked(record, rows[record.trader_id], timelines[record.trader_id]) if record.trader_id in late else record
        for record in records
    ]


def unmarked(position: PositionRecord) -> PositionRecord:
    """The position without the mark, as an engine sends it again."""
    return replace(position, detail=position.detail.model_copy(update={"against_control": None}))


def _marked(record: Entered, rows: Sequence[Control], timeline: Any) -> Entered:
    if record.detail.against_control is not None or _is_of_earlier_engine(record):
        return record
    grace_ms = GRACE // timedelta(milliseconds=1)
    for entry_ms in sorted(_entries(record)):
        was_retired = all(timeline.is_retired_at(ms) for ms in (entry_ms - grace_ms, entry_ms))
        if mark := _mark(rows, entry_ms, was_retired=was_retired):
            return replace(record, detail=record.detail.model_copy(update={"against_control": mark}))
    return record


def _is_of_earlier_engine(record: PositionRecord | TradeRecord) -> bool:
    return record.detail.origin is not None and record.detail.origin.system == EARLIER_DATABASE


def _entries(record: PositionRecord | TradeRecord) -> Iterable[int]:
    """The moments (ms) at which it was entered, and added to."""
    if isinstance(record, PositionRecord):
        added = (one.at_ms for one in record.detail.events if one.kind is EventKind.INCREASE)
        return {record.detail.entry.time_ms, *added}
    return {
        record.detail.time.open_ts_ms,
        *(fill.ts_ms for fill in record.detail.fills if fill.type is FillType.ENTRY),
    }


def _mark(rows: Sequence[Control], entry_ms: int, *, was_retired: bool) -> AgainstControl | None:
    """`rows` are those of the trader and the fleet that decide from the beginning of the grace on."""
    if not rows and not was_retired:
        return None
    until = _moment(entry_ms)
    state = is_banned_throughout(rows, TraderFacts(retired=was_retired), since=until - GRACE, until=until)
    if state is None:
        return None
    cause = next(one for one in state.causes if one.control is not None or state.facts.retired)
    return AgainstControl(
        control_id=cause.control.id if cause.control else None, reason=str(cause.text), at_ms=entry_ms
    )


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
