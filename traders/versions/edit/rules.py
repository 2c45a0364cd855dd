"""Two edits that began on one version: what one side alone touched merges, what both touched is a choice.

The sides are flat configurations: `base` is where my edit began, `theirs` what stands now, `mine` what I typed.
No change is lost: a setting takes the value of the side that changed it, or waits for a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from traders.schema.paths import Flat
from traders.versions.rules.merge import Changed, Unit, three_way


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
    sides = three_way(base=base, theirs=theirs, mine=mine)
    found = {changed.value: tuple(unit for unit in sides if sides[unit] is changed) for changed in Changed}
    return Rebase(base, theirs, mine, **found)


def _copy(result: Flat, side: Flat, unit: Unit) -> None:
    for path in unit:
        if path in side:
            result[path] = side[path]
        else:
            result.pop(path, None)
