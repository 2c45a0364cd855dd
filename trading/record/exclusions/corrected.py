"""A row, the one that it corrects, and those that correct it. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from trading.models import DecisionJournal, EquitySnapshot, Position, Trade
from trading.schema.exclusion import RecordKey, RecordKind, equity_id, equity_key
from trading.schema.ids import corrected_root

_HAS_CORRECTION = Q(detail__has_key="corrects")


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """`corrects` is the id of the row in whose place this one stands; None of the first one."""

    id: str
    corrects: str | None
    is_aside: bool


def family(key: RecordKey) -> list[FamilyMember]:
    """The row and all that stand in one line with it, in order; itself alone where it was never corrected, and nothing
    where it is not there."""
    return _FAMILIES[key.kind](key)


def decision_key(decision: Any) -> str:
    """By what a models.DecisionJournal is known: the key of its source, else its number. Its corrections add to it."""
    return str(decision.entry_key or decision.pk)


def _trades(key: RecordKey) -> list[FamilyMember]:
    root, trader_id = corrected_root(key.id), key.trader_id or Trade.objects.owners([key.id]).get(key.id)
    found = Trade.objects.filter(Q(pk=root) | Q(pk__startswith=f"{root}|c"), trader=trader_id)
    found = found.only("id", "exclusion_id", "detail")
    members = [
        FamilyMember(one.pk, _corrects(one.detail), one.exclusion_id is not None)
        for one in found
        if corrected_root(one.pk) == root
    ]
    return _line(members, key.id)


def _positions(key: RecordKey) -> list[FamilyMember]:
    """Ids of positions change while they live, so what they correct tells."""
    row = Position.objects.one(key.id, key.trader_id)
    if row is None:
        return []
    same = Position.objects.filter(trader=row.trader_id, symbol=row.symbol)
    corrections = list(same.filter(_HAS_CORRECTION))
    named = [name for one in corrections if (name := _corrects(one.detail))]
    found = {one.pk: one for one in [*corrections, *same.filter(pk__in=named), row]}
    return _line(
        [FamilyMember(one.pk, _corrects(one.detail), one.exclusion_id is not None) for one in found.values()], row.pk
    )


def _decisions(key: RecordKey) -> list[FamilyMember]:
    if not key.id.isdigit() or not (row := DecisionJournal.objects.one(int(key.id), key.trader_id)):
        return []
    root = corrected_root(decision_key(row))
    named = Q(entry_key=root) | Q(entry_key__startswith=f"{root}|c")
    if root.isdigit() and len(root) < len(str(2**63)):
        named |= Q(pk=int(root), entry_key=None)
    found = DecisionJournal.objects.filter(named, trader=row.trader_id)
    members = [
        FamilyMember(str(one.pk), _corrects(one.detail), one.exclusion_id is not None)
        for one in found
        if corrected_root(decision_key(one)) == root
    ]
    return _line(members, key.id)


def _equity(key: RecordKey) -> list[FamilyMember]:
    moment = equity_key(key.id)
    if moment is None:
        return []
    trader_id, ts_ms = moment
    points = EquitySnapshot.objects.filter(trader=trader_id)
    corrections = list(points.filter(corrects_ts_ms__isnull=False))
    named = [one.corrects_ts_ms for one in corrections]
    found = {one.pk: one for one in [*corrections, *points.filter(ts_ms__in=[*named, ts_ms])]}
    members = [
        FamilyMember(
            equity_id(trader_id, one.ts_ms),
            None if one.corrects_ts_ms is None else equity_id(trader_id, one.corrects_ts_ms),
            one.exclusion_id is not None,
        )
        for one in found.values()
    ]
    return _line(members, equity_id(trader_id, ts_ms))


_FAMILIES = {
    RecordKind.TRADE: _trades,
    RecordKind.POSITION: _positions,
    RecordKind.DECISION: _decisions,
    RecordKind.EQUITY: _equity,
}


def _corrects(detail: Any) -> str | None:
    found = detail.get("corrects") if isinstance(detail, dict) else None
    return None if found is None else str(found)


def _line(members: Iterable[FamilyMember], record_id: str) -> list[FamilyMember]:
    """Of these the ones that lead to this row or from it."""
    by_id = {one.id: one for one in members}
    if record_id not in by_id:
        return []
    after = {one.corrects: one for one in by_id.values() if one.corrects}
    first = by_id[record_id]
    seen = {first.id}
    while first.corrects in by_id and first.corrects not in seen:
        first = by_id[first.corrects]
        seen.add(first.id)
    found = [first]
    while (following := after.get(found[-1].id)) is not None and following not in found:
        found.append(following)
    return found
