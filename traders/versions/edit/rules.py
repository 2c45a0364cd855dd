"""Two edits that began on one version: what one side alone touched merges, what both touched is a choice.

The sides are flat configurations: `base` is where my edit began, `theirs` what stands now, `mine` what I typed.
No change is lost: a setting takes the value of the side that changed it, or waits for a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from traders.schema.paths import ABSENT, Flat, diff, same
from traders.versions.rules.merge import unit_of

Unit = tuple[str, ...]
"""The paths that are decided together: one, or the three of a prompt."""


class Take(StrEnum):
    """Whose value of a contested setting stands."""

    BASE = "base"
    THEIRS = "theirs"
    MINE = "mine"


Choices = Mapping[str, Take]
"""{first path of a unit: whose value}."""


@dataclass(frozen=True)
class Rebase:
    """The changed settings, by side. `agreed` were changed by both sides to the same value."""

    base: Flat
    theirs: Flat
    mine: Flat
    only_mine: tuple[Unit, ...]
    only_theirs: tuple[Unit, ...]
    agreed: tuple[Unit, ...]
    contested: tuple[Unit, ...]

    def undecided(self, choices: Choices) -> list[Unit]:
        """The contested settings without a choice."""
        return [unit for unit in self.contested if unit[0] not in choices]

    def merged(self, choices: Choices) -> Flat:
        """Theirs with my own changes on top, and each contested setting as chosen; theirs where nothing was."""
        sides = {Take.BASE: self.base, Take.THEIRS: self.theirs, Take.MINE: self.mine}
        result = dict(self.theirs)
        for unit in self.only_mine:
            _copy(result, self.mine, unit)
        for unit in self.contested:
            _copy(result, sides[choices.get(unit[0], Take.THEIRS)], unit)
        return result


def rebase(*, base: Flat, theirs: Flat, mine: Flat) -> Rebase:
    """An empty `base` means that both sides began from nothing: whatever differs is contested."""
    moved = [change.path for change in (*diff(base, theirs), *diff(base, mine))]
    found: dict[str, list[Unit]] = {"only_mine": [], "only_theirs": [], "agreed": [], "contested": []}
    for unit in dict.fromkeys(unit_of(path) for path in moved):
        found[_who(unit, base, theirs, mine)].append(unit)
    return Rebase(base, theirs, mine, **{who: tuple(units) for who, units in found.items()})


def _who(unit: Unit, base: Flat, theirs: Flat, mine: Flat) -> str:
    if _same(unit, theirs, mine):
        return "agreed"
    if _same(unit, base, mine):
        return "only_theirs"
    return "only_mine" if _same(unit, base, theirs) else "contested"


def _same(unit: Unit, a: Flat, b: Flat) -> bool:
    return all(same(a.get(path, ABSENT), b.get(path, ABSENT)) for path in unit)


def _copy(result: Flat, side: Flat, unit: Unit) -> None:
    for path in unit:
        if path in side:
            result[path] = side[path]
        else:
            result.pop(path, None)
