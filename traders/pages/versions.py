"""Reads version rows for pages: a page of a history with the changes of each version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from traders.models import ManagerConfigVersion, PromptText, TraderConfigVersion
from traders.pages.changes import ChangeLine, rows
from traders.schema.paths import Change, diff
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.versions.rows import stored

PER_PAGE = 25


@dataclass(frozen=True)
class VersionLine:
    """One version in a history. `rows` is empty for the first one, which changed nothing; `until` is when the next
    one came, None for the latest."""

    version: int
    changed_at: datetime
    until: datetime | None
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    rows: list[ChangeLine]
    current: bool


def page_of_history(
    config_id: str, number: str | None, *, current: int, per_page: int = PER_PAGE
) -> tuple[Page[Any], list[VersionLine]]:
    """The newest versions first, from `current` on. One query, for a history of any length: the database keeps the
    numbers of versions without gaps, so a page needs no OFFSET."""
    page = Paginator(range(current, 0, -1), per_page).get_page(number)
    numbers = page.object_list
    around = versions_of(config_id).filter(version__gte=numbers[-1] - 1, version__lte=numbers[0] + 1)
    rows_by_number = {row.version: row for row in around}
    by_number = {number: stored(row) for number, row in rows_by_number.items() if number <= numbers[0]}
    lines = []
    for at in numbers:
        later = rows_by_number.get(at + 1)
        until = later.history_date if later else None
        lines.append(_line(config_id, by_number[at], by_number.get(at - 1), until, current))
    return page, lines


def versions_of(config_id: str) -> QuerySet[Any]:
    if config_id == FLEET_ID:
        rows_of_fleet: QuerySet[Any] = ManagerConfigVersion.objects.order_by("-version")
        return rows_of_fleet
    rows_of_trader: QuerySet[Any] = TraderConfigVersion.objects.filter(id=config_id).order_by("-version")
    return rows_of_trader


def changes_since(before: StoredConfig | None, config: StoredConfig) -> list[Change]:
    return diff(before.flat, config.flat) if before else []


def prompt_bodies(digests: Collection[str]) -> Mapping[str, str]:
    if not digests:
        return {}
    return dict(PromptText.objects.filter(pk__in=digests).values_list("sha256", "body"))


def _line(
    config_id: str, config: StoredConfig, before: StoredConfig | None, until: datetime | None, current: int
) -> VersionLine:
    return VersionLine(
        version=config.version,
        changed_at=config.changed_at,
        until=until,
        changed_by=config.changed_by,
        account_id=config.account_id,
        reason=config.reason,
        source=config.source,
        rows=rows(config_id, changes_since(before, config)),
        current=config.version == current,
    )
