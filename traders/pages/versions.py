"""Reads version rows for pages: a page of a history with the changes of each version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, QuerySet, Subquery

from traders.models import ManagerConfigVersion, PromptText, TraderConfigVersion
from traders.pages.changes import ChangeRow, rows
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
    rows: list[ChangeRow]
    current: bool


def page_of_history(config_id: str, number: str | None, *, current: int) -> tuple[Page[Any], list[VersionLine]]:
    """The newest versions first, `PER_PAGE` on a page. Two queries, for a history of any length."""
    versions = versions_of(config_id)
    versions = versions.annotate(until=Subquery(_next(versions.model).values("history_date")))
    page = Paginator(versions, PER_PAGE).get_page(number)
    shown = [stored(row) for row in page.object_list]
    until = {row.version: row.until for row in page.object_list}
    if shown and shown[-1].version > 1:
        oldest = versions.filter(version=shown[-1].version - 1).first()
        shown += [stored(oldest)] if oldest else []
    by_number = {config.version: config for config in shown}
    lines = [
        _line(config_id, config, by_number.get(config.version - 1), until[config.version], current)
        for config in shown[: len(until)]
    ]
    return page, lines


def _next(model: Any) -> QuerySet[Any]:
    """The next version of each row."""
    found: QuerySet[Any] = model.objects.filter(id=OuterRef("id"), version=OuterRef("version") + 1)
    return found


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
