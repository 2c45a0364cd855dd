"""What a line of the change log shows: old and new values of one configuration, counts of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.changes import ChangeLine, rows
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.changelog import services as changelog
from traders.versions.changelog.queries import ChangeSetLine, PathCount
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words

RETIRED = "detail.retired"
SHOWN = 3


@dataclass(frozen=True)
class CountShown:
    """One setting of a set: `traders` is empty for one of the fleet's settings, `raising` where nothing raises risk."""

    path: str
    label: str
    traders: str
    raising: str


@dataclass(frozen=True)
class LogLineShown:
    """`rows` are the changes of a single configuration; of many, `sums` says how many were added and retired, and
    `counts` how many each setting was changed of, the first `SHOWN`. `is_first`: a first version, without changes."""

    line: ChangeSetLine
    rows: list[ChangeLine]
    is_first: bool
    sums: list[str]
    counts: list[CountShown]
    more: int


def lines_shown(lines: Sequence[ChangeSetLine], *, paths: Iterable[str] = ()) -> list[LogLineShown]:
    """`paths` are the settings that were looked for: they come first. One statement."""
    wanted, single = frozenset(paths), changelog.changes_of_single(lines)
    return [_of_one(line, single, wanted) if line.configs == 1 else _of_many(line, wanted) for line in lines]


def setting_words(path: str) -> str:
    """The label of a setting by its path alone: no path is both of the fleet and of traders."""
    return words.place(settings_of(owner_of(path)), path)


def owner_of(path: str) -> str:
    return FLEET_ID if path in settings_of(FLEET_ID) else ""


def _of_one(line: ChangeSetLine, single: dict[int, changelog.Changes], wanted: frozenset[str]) -> LogLineShown:
    changes = sorted(single.get(line.change_set, ()), key=lambda change: change.path not in wanted)
    return LogLineShown(line, rows(line.config_ids[0], changes), bool(line.created), [], [], 0)


def _of_many(line: ChangeSetLine, wanted: frozenset[str]) -> LogLineShown:
    counts = [one for one in line.counts if one.path == unit_of(one.path)[0] and one.path != RETIRED]
    counts.sort(key=lambda one: one.path not in wanted)
    shown = [_count(one) for one in counts[:SHOWN]]
    return LogLineShown(line, [], False, _sums(line), shown, len(counts) - len(shown))


def _sums(line: ChangeSetLine) -> list[str]:
    """`60 added`, `3 retired`, `1 unretired`."""
    moved = next((one for one in line.counts if one.path == RETIRED), PathCount(RETIRED, 0, 0))
    said = [
        (line.created, _("%(n)s added")),
        (moved.configs - moved.raising, _("%(n)s retired")),
        (moved.raising, _("%(n)s unretired")),
    ]
    return [text % {"n": words.number(count)} for count, text in said if count]


def _count(one: PathCount) -> CountShown:
    traders = ngettext("%(n)s trader", "%(n)s traders", one.configs) % {"n": words.number(one.configs)}
    raising = ""
    if one.raising:
        of_some = _("raises risk of %(n)s") % {"n": words.number(one.raising)}
        raising = _("raises risk") if one.raising == one.configs else of_some
    return CountShown(one.path, setting_words(one.path), "" if owner_of(one.path) else traders, raising)
