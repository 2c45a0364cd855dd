"""Merges two edits that began on one version: a path that one side changed is merged, a path that both changed is a
choice.

The sides are flat configurations: `base` is the version where my edit began, `theirs` the current one, `mine` the
values that I typed. No change is lost: a setting takes the value of the side that changed it, or waits for a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from traders.schema.paths import Flat
from traders.versions.rules.merge import ChangedBy, Unit, three_way


class ContestedChoice(StrEnum):
    """The side whose value of a contested setting counts."""

    BASE = "base"
    THEIRS = "theirs"
    MINE = "mine"


Choices = Mapping[str, ContestedChoice]
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
        """Theirs with my own changes, and each contested setting as chosen; without a choice theirs."""
        sides = {ContestedChoice.BASE: self.base, ContestedChoice.THEIRS: self.theirs, ContestedChoice.MINE: self.mine}
        result = dict(self.theirs)
        for unit in self.only_mine:
            _copy(result, self.mine, unit)
        for unit in self.contested:
            _copy(result, sides[choices.get(unit[0], ContestedChoice.THEIRS)], unit)
        return result


def rebase(*, base: Flat, theirs: Flat, mine: Flat) -> Rebase:
    """An empty `base` means that both sides began from nothing: every difference is contested."""
    sides = three_way(base=base, theirs=theirs, mine=mine)
    found = {changed.value: tuple(unit for unit in sides if sides[unit] is changed) for changed in ChangedBy}
    return Rebase(base, theirs, mine, **found)


def _copy(result: Flat, side: Flat, unit: Unit) -> None:
    for path in unit:
        if path in side:
            result[path] = side[path]
        else:
            result.pop(path, None)
