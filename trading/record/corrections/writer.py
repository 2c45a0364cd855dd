"""A row corrected by a new one, in one transaction with the entry that sets the wrong one aside.

Locks as `exclusions.writer` does, then the trader's record, or its journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from traders.database import sql
from traders.runtime.redaction import without_secrets
from traders.schema.messages import _, message_of
from trading.models import EquitySnapshot, Position
from trading.record.corrections.rules import DecisionCore, EquityFigures, NoCore, RowFigures, SideCore
from trading.record.exclusions import corrected
from trading.record.exclusions import writer as exclusions
from trading.record.rules.errors import InvalidRecord, RecordConflict, UnknownRecord
from trading.record.stored import rows, versions
from trading.record.stored.spread import judging
from trading.record.writing import decisions, positions, trades
from trading.record.writing.locks import lock_record
from trading.schema.common import Origin, Versions
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.exclusion import ExclusionAction, RecordKey, RecordKind, equity_id, equity_key
from trading.schema.ids import next_correction_id, open_position_id
from trading.schema.position import PositionRecord
from trading.schema.tolerant import UnreadableLeaf
from trading.schema.trade import TradeRecord

# The source of the key of a decision that had none.
SYSTEM = "correction"

# The trader of the row that is read: with one that is given Citus counts a row that was there already as inserted.
_ADD_POINT = """
INSERT INTO equity_snapshots
       (trader_id, ts_ms, corrects_ts_ms, source, equity_usd, realized_pnl_usd, unrealized_pnl_usd, available_usd)
SELECT e.trader_id, %(at)s, %(corrects)s, %(source)s, %(equity_usd)s, %(realized_pnl_usd)s, %(unrealized_pnl_usd)s,
       e.available_usd FROM equity_snapshots e WHERE e.trader_id = %(trader_id)s AND e.ts_ms = %(corrects)s
    ON CONFLICT (trader_id, ts_ms) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class RowToCorrect:
    """`record` is the row as the record knows it: a TradeRecord, a PositionRecord, a RecordedDecision, a point."""

    id: str
    trader_id: str
    figures: RowFigures
    record: Any


def stored(key: RecordKey) -> RowToCorrect | None:
    """None where there is none. Raises RecordConflict or CannotBeRead for one that cannot be read."""
    return _KINDS[key.kind].read(key)


def write(
    key: RecordKey,
    corrected_figures: Callable[[RowToCorrect], RowFigures],
    *,
    reason: str,
    actor: str,
    account_id: int | None,
) -> RowToCorrect:
    """The new row. The same correction again changes nothing. Raises UnknownRecord, RecordBusy, InvalidRecord where a
    later correction stands or nothing would change, and what `corrected_figures` raises."""
    with exclusions.locked():
        found = exclusions.lock_rows([key])
        old = stored(key) if key in found else None
        if old is None:
            raise UnknownRecord([key])
        lock_record([old.trader_id])
        right = corrected_figures(old)
        if later := _later(key):
            if _said(later.figures) == _said(right):
                return later
            raise InvalidRecord("id", _("was corrected already; correct %(id)s", id=later.id))
        if _said(old.figures) == _said(right):
            if _is_correction(old):
                return old
            raise InvalidRecord("set", _("must change something"))
        # First, for an open position gives its place to the new row.
        if found[key].exclusion_id is None:
            exclusions.write([found[key]], ExclusionAction.EXCLUDE, reason=reason, actor=actor, account_id=account_id)
        made = stored(RecordKey(key.kind, _KINDS[key.kind].add(old, found[key].ends_as, right), old.trader_id))
        assert made is not None
    return made


def _later(key: RecordKey) -> RowToCorrect | None:
    """The last correction of a row, where there is one."""
    last = corrected.family(key)[-1:]
    return stored(RecordKey(key.kind, last[0].id, key.trader_id)) if last and last[0].id != key.id else None


def _is_correction(row: RowToCorrect) -> bool:
    key = RecordKey(_kind_of(row), row.id, row.trader_id)
    return any(one.id == row.id and one.corrects for one in corrected.family(key))


def _kind_of(row: RowToCorrect) -> RecordKind:
    return next(kind for kind, one in _KINDS.items() if isinstance(row.record, one.record))


def _said(figures: RowFigures) -> tuple[Any, Any]:
    """What is compared: without what the record itself writes."""
    kept = {"corrects", "origin", "versions"} & set(type(figures.detail).model_fields)
    return figures.core, figures.detail.model_copy(update=dict.fromkeys(kept))


def _trade(key: RecordKey) -> RowToCorrect | None:
    found = trades.stored(key.id, key.trader_id)
    if found is None:
        return None
    return RowToCorrect(found.id, found.trader_id, RowFigures(SideCore(side=found.side), found.detail), found)


def _add_trade(old: RowToCorrect, lasting_id: str, right: RowFigures) -> str:
    time, before = right.detail.time, old.figures.detail.time
    moments = (time.open_ts_ms, time.close_ts_ms)
    found = _attributed(old, right, moments if time != before else None)
    trade: TradeRecord = old.record
    new = replace(
        trade,
        id=next_correction_id(lasting_id),
        side=right.core.side,
        detail=found.model_copy(update={"corrects": lasting_id}),
    )
    trades.add(new)
    return new.id


def _position(key: RecordKey) -> RowToCorrect | None:
    row = rows.POSITIONS.one(key.id, key.trader_id)
    try:
        found = rows.position(row) if row else None
    except UnreadableLeaf as error:
        raise RecordConflict(_("position"), key.id, message_of(error)) from error
    if found is None:
        return None
    return RowToCorrect(found.id, found.trader_id, RowFigures(SideCore(side=found.side), found.detail), found)


def _add_position(old: RowToCorrect, lasting_id: str, right: RowFigures) -> str:
    position: PositionRecord = old.record
    before, detail = position.detail, right.detail
    if position.is_open and detail.close is not None:
        raise InvalidRecord("close", _("must be left out: the position is open"))
    if not position.is_open and detail.close is None:
        raise InvalidRecord("close", _("is required: the position is closed"))
    if detail.close is not None and detail.close.time_ms < detail.entry.time_ms:
        raise InvalidRecord("close.time_ms", _("must not lie before the entry"))
    closed = detail.close.time_ms if detail.close else None
    is_moved = (detail.entry.time_ms, closed) != (before.entry.time_ms, before.close.time_ms if before.close else None)
    found = _attributed(old, right, (detail.entry.time_ms, closed) if is_moved else None)
    new = replace(
        position,
        id=open_position_id(position.trader_id, position.symbol)
        if position.is_open
        else next_correction_id(lasting_id),
        side=right.core.side,
        detail=found.model_copy(update={"corrects": lasting_id}),
    )
    if position.is_open and (closed_there := _closed_at(new)):
        positions.make_way(closed_there)
    positions.insert(new)
    return new.id


def _closed_at(new: PositionRecord) -> Position | None:
    """The closed position that still has the id of an open one."""
    return Position.objects.named([new.id], [new.trader_id]).filter(status="closed").first()


def _decision(key: RecordKey) -> RowToCorrect | None:
    number = int(key.id) if key.id.isdigit() and len(key.id) <= exclusions.ID_DIGITS else None
    trader_id = None if number is None else key.trader_id or decisions.trader_of(number)
    found = decisions.stored(trader_id, number) if number is not None and trader_id is not None else None
    if found is None:
        return None
    entry = found.entry
    core = DecisionCore(config_version=entry.config_version, decided_at=entry.decided_at, success=entry.success)
    return RowToCorrect(key.id, entry.trader_id, RowFigures(core, entry.detail), found)


def _add_decision(old: RowToCorrect, lasting_id: str, right: RowFigures) -> str:
    """Under a cycle number of its own, with the messages of the old one."""
    row = rows.DECISIONS.one(int(old.id), old.trader_id)
    origin = old.figures.detail.origin or Origin(system=SYSTEM)
    own_key = next_correction_id(corrected.decision_key(row))
    detail, _found = without_secrets(right.detail, f"a correction of {old.trader_id}")
    detail = detail.model_copy(update={"origin": origin.model_copy(update={"key": own_key}), "corrects": int(old.id)})
    core = right.core
    entry = JournalEntry(old.trader_id, core.config_version, core.decided_at, core.success, detail)
    made = decisions.record_decision(entry, decisions.said(old.trader_id, int(old.id)))
    return str(made.id)


def _point(key: RecordKey) -> RowToCorrect | None:
    moment = equity_key(key.id)
    row = EquitySnapshot.objects.filter(pk=moment).first() if moment else None
    if row is None:
        return None
    values = {name: getattr(row, name) for name in EquityFigures.model_fields}
    return RowToCorrect(key.id, row.trader_id, RowFigures(NoCore(), EquityFigures.model_validate(values)), row)


def _add_point(old: RowToCorrect, lasting_id: str, right: RowFigures) -> str:
    """At the first free millisecond after the wrong one: a moment has one point."""
    point: EquitySnapshot = old.record
    given = {"trader_id": point.trader_id, "corrects": point.ts_ms, "source": point.source, **dict(right.detail)}
    place = next(at for at in count(point.ts_ms + 1) if sql.execute(_ADD_POINT, {**given, "at": at}))
    judging.equity_added([(point.trader_id, place, point.source)])
    return equity_id(point.trader_id, place)


def _attributed(old: RowToCorrect, right: RowFigures, moments: tuple[int, int | None] | None) -> Any:
    """The detail without secrets; with the versions valid at its moments where they have changed."""
    detail, _found = without_secrets(right.detail, f"a correction of {old.trader_id}")
    if moments is None:
        return detail
    entry, exit_ = (None if at is None else versions.version_at(old.trader_id, at) for at in moments)
    return detail.model_copy(update={"versions": Versions(entry=entry, exit=exit_)})


@dataclass(frozen=True, slots=True)
class _Kind:
    """`add` writes the row that stands in place of the old one, whose id is by now the second argument."""

    record: type[Any]
    read: Callable[[RecordKey], RowToCorrect | None]
    add: Callable[[RowToCorrect, str, RowFigures], str]


_KINDS = {
    RecordKind.TRADE: _Kind(TradeRecord, _trade, _add_trade),
    RecordKind.POSITION: _Kind(PositionRecord, _position, _add_position),
    RecordKind.DECISION: _Kind(RecordedDecision, _decision, _add_decision),
    RecordKind.EQUITY: _Kind(EquitySnapshot, _point, _add_point),
}
