"""The change log for pages and downloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.pages import csv_text
from traders.schema import jsonio
from traders.schema.paths import ABSENT, EXTRA, Change, diff
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs
from traders.versions.changelog import queries as changelog
from traders.versions.changelog.queries import ChangeSetLine, Filter
from traders.versions.rules.errors import UnknownChangeSet
from traders.versions.rules.proposal import riskier_paths
from traders.words.messages import translated

PAGE = 50
Changes = tuple[Change, ...]
CSV_HEAD = (
    *("change_set", "config_id", "version", "changed_at", "changed_by", "reason", "source"),
    *("path", "old", "new", "raises_risk", "account_id"),
)
_FIRST = Change("", ABSENT, ABSENT)
"""Stands in the CSV for a first version, which changed nothing."""


@dataclass(frozen=True)
class LogPage:
    """`next_before` is the start of the next page, None on the last one."""

    lines: list[ChangeSetLine]
    next_before: int | None


@dataclass(frozen=True)
class ChangedConfig:
    """One configuration of a change set. `before` is None for one that the change set made."""

    before: StoredConfig | None
    after: StoredConfig
    changes: tuple[Change, ...]


def page(where: Filter, *, before: int | None = None) -> LogPage:
    lines = changelog.change_sets(where, before=before, limit=PAGE + 1)
    return LogPage(lines[:PAGE], lines[PAGE - 1].change_set if len(lines) > PAGE else None)


def latest(limit: int) -> list[ChangeSetLine]:
    """The newest change sets, newest first."""
    return changelog.change_sets(Filter(), limit=limit)


def opened(
    change_set: int, *, ids: Collection[str] | None = None, after: str = "", limit: int | None = None
) -> list[ChangedConfig]:
    """The changes of a change set by configuration: of `config_ids`, at most `limit` after `after`. Raises
    UnknownChangeSet."""
    pairs = configs.change_set(change_set, ids=ids, after=after, limit=limit)
    if not pairs:
        raise UnknownChangeSet(change_set)
    return [
        ChangedConfig(before, after, tuple(diff(before.flat, after.flat)) if before else ()) for before, after in pairs
    ]


def line_of(change_set: int) -> ChangeSetLine:
    """A change set in one line. Raises UnknownChangeSet."""
    found = changelog.change_sets(Filter(change_set=change_set), limit=1)
    if not found:
        raise UnknownChangeSet(change_set)
    return found[0]


def paths_of(text: str) -> frozenset[str]:
    """The settings for a search text: the exact path, else all settings with all the words; may be empty."""
    text = text.strip()
    if text in TRADER_SETTINGS or text in FLEET_SETTINGS or text.startswith(EXTRA + "."):
        return frozenset({text})
    return paths_matching(text)


def paths_matching(words: str) -> frozenset[str]:
    """The settings whose path or label, in English or in the language of the page, holds all these words: `leverage`
    finds both leverages."""
    wanted = words.lower().split()
    every = {**TRADER_SETTINGS, **FLEET_SETTINGS}
    return frozenset(
        path
        for path, setting in every.items()
        if all(word in f"{path} {setting.label} {translated(setting.label)}".lower() for word in wanted)
    )


def actors() -> list[str]:
    """All actors of the history."""
    return changelog.actors()


def sources() -> list[str]:
    return changelog.sources()


def changes_of_single(lines: Sequence[ChangeSetLine]) -> dict[int, Changes]:
    """{change set: the changes of its configuration}, of lines of one configuration. One statement."""
    keys = [(line.change_set, line.config_ids[0]) for line in lines if line.configs == 1]
    return {change_set: changes for (change_set, _id), changes in changelog.changes_in(keys).items()}


def csv_lines(where: Filter) -> Iterator[str]:
    """The matching changes as CSV, one a line, with their values as JSON numbers and plain texts. A text that a
    spreadsheet would run as a formula gets an apostrophe in front."""
    yield csv_text.line(CSV_HEAD)
    for row in changelog.rows(where, with_values=True):
        head = (
            *(str(row.change_set), csv_text.harmless(row.config_id), str(row.version), row.changed_at.isoformat()),
            *(csv_text.harmless(text) for text in (row.changed_by, row.reason, row.source)),
        )
        account = "" if row.account_id is None else str(row.account_id)
        for change, raises in _matching(where, row):
            values = (csv_text.harmless(change.path), _csv_value(change.old), _csv_value(change.new))
            yield csv_text.line((*head, *values, "yes" if raises else "", account))


def _matching(where: Filter, row: Any) -> Iterator[tuple[Change, bool]]:
    """The changes of a version that the filter means, each with whether it raises risk."""
    changes = changelog.changes_of(row)
    risky = riskier_paths(row.config_id, changes)
    for change in changes or (_FIRST,):
        raises = change.path in risky
        if (not where.paths or change.path in where.paths) and (raises or not where.raises):
            yield change, raises


def _csv_value(value: Any) -> str:
    if value is ABSENT or value is None:
        return ""
    return csv_text.harmless(value) if isinstance(value, str) else _data(value)


def _data(value: Any) -> str:
    """Lists of names as names, the rest as JSON."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return csv_text.harmless(" ".join(value))
    text = jsonio.dumps(value)
    return text if isinstance(value, int | Decimal) else csv_text.harmless(text)
