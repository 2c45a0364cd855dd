"""The change log for pages and downloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from traders.pages import csv_text
from traders.schema.paths import EXTRA, Change, diff
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs
from traders.versions.changelog import queries as changelog
from traders.versions.changelog.queries import ChangeSetLine, Filter
from traders.versions.rules.errors import UnknownChangeSet

PAGE = 50
CSV_HEAD = (
    *("change_set", "config_id", "version", "changed_at", "changed_by", "reason", "source", "changed_fields"),
    "account_id",
)


@dataclass(frozen=True)
class LogPage:
    """`next_before` is where the next page begins, None on the last."""

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
    """What a change set did, configuration by configuration: to these, and of those the `limit` past `after`.
    Raises UnknownChangeSet where there is none."""
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
    """The settings that a person means: one exact path, else those that hold all the words; perhaps none."""
    text = text.strip()
    if text in TRADER_SETTINGS or text in FLEET_SETTINGS or text.startswith(EXTRA + "."):
        return frozenset({text})
    return paths_matching(text)


def paths_matching(words: str) -> frozenset[str]:
    """The settings whose path or label holds all these words: `leverage` finds both leverages."""
    wanted = words.lower().split()
    every = {**TRADER_SETTINGS, **FLEET_SETTINGS}
    return frozenset(
        path for path, setting in every.items() if all(word in f"{path} {setting.label}".lower() for word in wanted)
    )


def actors() -> list[str]:
    """Everybody who ever changed a configuration."""
    return changelog.actors()


def sources() -> list[str]:
    return changelog.sources()


def csv_lines(where: Filter) -> Iterator[str]:
    """The matching versions as CSV. A text that a spreadsheet would run as a formula is led by an apostrophe."""
    yield csv_text.line(CSV_HEAD)
    for row in changelog.rows(where):
        facts = (
            *(row.change_set, row.config_id, row.version, row.changed_at.isoformat()),
            *(row.changed_by, row.reason, row.source, " ".join(row.changed_fields)),
            "" if row.account_id is None else row.account_id,
        )
        yield csv_text.line([csv_text.harmless(str(fact)) for fact in facts])
