"""Who set rows of the record aside and who took them back in, a page at a time. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from trading.models import RecordExclusion
from trading.record.exclusions.writer import exclusion
from trading.schema.exclusion import Exclusion, ExclusionAction


@dataclass(frozen=True, slots=True)
class ExclusionFilter:
    """Empty means any. `state` is exclude or include for entries that did so, `aside` for rows that are aside now."""

    kind: str = ""
    state: str = ""
    trader: str = ""
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
    """A page of entries, newest first, and the entry where the next one begins after."""
    later = RecordExclusion.objects.filter(
        kind=models.OuterRef("kind"), record_id=models.OuterRef("record_id"), pk__gt=models.OuterRef("pk")
    )
    found = RecordExclusion.objects.annotate(is_last=~models.Exists(later)).order_by("-pk")
    named = {"kind": where.kind, "trader": where.trader, "actor": where.actor, "record_id": where.id}
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
    """Who ever set a row aside, or took one back in."""
    return list(RecordExclusion.objects.order_by("actor").values_list("actor", flat=True).distinct()[:most])
