"""Which rows of the record are set aside, who set them aside, and who included them again. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from trading.models import SET_ASIDE, DecisionJournal, EquitySnapshot, Position, RecordExclusion, Trade
from trading.schema.exclusion import Exclusion, ExclusionAction, RecordKey, RecordKind, equity_id, equity_key

# The other columns are not read: a moment beyond the range of Python's datetime would raise.
POSITIONS = Position.objects.get_queryset().only(
    "id", "trader_id", "symbol", "side", "status", "detail", "opened_ms", "exclusion_id"
)

EntryKey = tuple[str, str, str, int]
"""What identifies a position under any id: trader, symbol, side, milliseconds of its entry."""


@dataclass(frozen=True, slots=True)
class ExclusionFilter:
    """Empty means any. `state`: exclude or include for that action, `aside` for rows set aside now."""

    kind: str = ""
    state: str = ""
    traders: tuple[str, ...] = ()
    actor: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class LoggedExclusion:
    """An entry, and whether it is the last one of its row."""

    entry: Exclusion
    is_last: bool

    @property
    def is_aside_now(self) -> bool:
        return self.is_last and self.entry.is_aside


def logged(where: ExclusionFilter, *, older_than: int | None, size: int) -> tuple[list[LoggedExclusion], int | None]:
    """A page of entries, newest first, and the id after which the next page begins (None: there is none)."""
    later = RecordExclusion.objects.filter(
        kind=models.OuterRef("kind"), record_id=models.OuterRef("record_id"), pk__gt=models.OuterRef("pk")
    )
    found = RecordExclusion.objects.annotate(is_last=~models.Exists(later)).order_by("-pk")
    named = {"kind": where.kind, "trader__in": where.traders, "actor": where.actor, "record_id": where.id}
    found = found.filter(**{name: value for name, value in named.items() if value})
    if where.state:
        found = found.filter(action=where.state if where.state != "aside" else ExclusionAction.EXCLUDE)
    if where.state == "aside":
        found = found.filter(is_last=True)
    if older_than is not None:
        found = found.filter(pk__lt=older_than)
    page = list(found[: size + 1])
    lines = [LoggedExclusion(exclusion(row), bool(row.is_last)) for row in page[:size]]
    return lines, lines[-1].entry.id if len(page) > size else None


def actors(most: int) -> list[str]:
    """All actors who set rows aside or included rows again, at most `most`."""
    return list(RecordExclusion.objects.order_by("actor").values_list("actor", flat=True).distinct()[:most])


def by_ids(ids: Iterable[int | None]) -> dict[int, Exclusion]:
    wanted = {number for number in ids if number is not None}
    return {row.pk: exclusion(row) for row in RecordExclusion.objects.filter(pk__in=wanted)} if wanted else {}


def of_record(kind: RecordKind, ids: Collection[str]) -> list[Exclusion]:
    """All entries of a row, under any of these ids, newest first."""
    return [exclusion(row) for row in RecordExclusion.objects.filter(kind=kind, record_id__in=ids).order_by("-pk")]


def entry_of(row: Trade | Position | DecisionJournal | EquitySnapshot) -> Exclusion:
    """The entry that set this row aside."""
    number: Any = row.exclusion_id
    return exclusion(RecordExclusion.objects.get(pk=number))


def mark(key: RecordKey) -> Exclusion | None:
    """The entry that set the row aside; None if the row counts or does not exist."""
    if key.kind is RecordKind.EQUITY:
        return _mark_of_equity(key.id)
    table: Any = _MODELS[key.kind]
    record_id = int(key.id) if key.kind is RecordKind.DECISION else key.id
    traders = None if key.trader_id is None else [key.trader_id]
    number = table.objects.named([record_id], traders).values_list("exclusion_id", flat=True).first()
    return next(iter(by_ids([number]).values()), None)


def _mark_of_equity(name: str) -> Exclusion | None:
    moment = equity_key(name)
    points = (
        EquitySnapshot.objects.filter(trader=moment[0], ts_ms=moment[1]) if moment else EquitySnapshot.objects.none()
    )
    return next(iter(by_ids(points.values_list("exclusion_id", flat=True)).values()), None)


def suspect_points(most: int) -> list[tuple[str, int, str]]:
    """(trader, moment in ms, id) of the newest points that count nowhere until the next report agrees with them."""
    found = EquitySnapshot.objects.filter(is_suspect=True, exclusion=None).order_by("-ts_ms")[:most]
    return [(row.trader_id, row.ts_ms, equity_id(row.trader_id, row.ts_ms)) for row in found]


def position_aside(trader_id: str, symbol: str, side: str, opened_ms: int) -> Position | None:
    """The position of this side and entry that is set aside, open or closed."""
    found = POSITIONS.filter(SET_ASIDE, trader=trader_id, symbol=symbol, side=side, opened_ms=opened_ms)
    return found.order_by("-status", "pk").first()


def positions_aside(trader_ids: Collection[str]) -> set[EntryKey]:
    """The keys of all positions of these traders that are set aside. Reads a small partial index."""
    found = Position.objects.filter(SET_ASIDE, trader__in=trader_ids)
    return set(found.values_list("trader_id", "symbol", "side", "opened_ms"))


def decisions_aside(trader_id: str) -> dict[int, Exclusion]:
    """{id of a decision: the entry that set it aside} of a trader. Reads a small partial index."""
    marks = dict(DecisionJournal.objects.filter(SET_ASIDE, trader=trader_id).values_list("pk", "exclusion_id"))
    entries = by_ids(marks.values())
    return {number: entries[mark] for number, mark in marks.items() if mark in entries}


def counts_by_kind() -> dict[str, int]:
    """How many rows of each kind are set aside now. The entries of a row alternate between exclude and include, so
    the number is the difference of their counts."""
    excluded, included = (
        models.Count("pk", filter=models.Q(action=action))
        for action in (ExclusionAction.EXCLUDE, ExclusionAction.INCLUDE)
    )
    found = RecordExclusion.objects.values("kind").annotate(aside=excluded - included).order_by("kind")
    return dict.fromkeys(RecordKind, 0) | {row["kind"]: row["aside"] for row in found}


def open_aside(trader_id: str, symbol: str) -> Position | None:
    """The position in this symbol that was open when it was set aside; the newest if there are several."""
    found = POSITIONS.filter(SET_ASIDE, trader=trader_id, symbol=symbol, status="open")
    return found.order_by("-opened_ms").first()


_MODELS = {RecordKind.TRADE: Trade, RecordKind.POSITION: Position, RecordKind.DECISION: DecisionJournal}


def exclusion(row: Any) -> Exclusion:
    """`row` is a models.RecordExclusion."""
    return Exclusion(
        row.pk,
        RecordKind(row.kind),
        row.record_id,
        row.trader_id,
        ExclusionAction(row.action),
        row.reason,
        row.actor,
        row.account_id,
        row.at,
    )
