"""Taking back what a change did: the same three-way rule, with the change's outcome as the base.

A path that still stands as the change left it goes back to what it was before. One that was changed
since is contested and stays, unless it is chosen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from traders.schema.paths import ABSENT, Change, Flat, same
from traders.versions.rules.merge import Changed, three_way, unit_of


@dataclass(frozen=True)
class Reverting:
    """`changes` turn what stands into what is proposed; `contested` are paths touched since, from what stands
    to what stood before, chosen to go back or not."""

    changes: tuple[Change, ...]
    contested: tuple[Change, ...]


def revert(
    *, before: Flat, after: Flat, now: Flat, paths: Collection[str] = (), chosen: Collection[str] = ()
) -> Reverting:
    """Takes `before` -> `after` back on top of `now`. `paths` narrows it down (all when empty); `chosen` are
    contested paths that are to go back anyway."""
    wanted = {path for name in paths for path in unit_of(name)}
    forced = {path for name in chosen for path in unit_of(name)}
    changes: list[Change] = []
    contested: list[Change] = []
    for unit, changed in three_way(base=after, theirs=now, mine=before).items():
        if changed is Changed.ONLY_THEIRS or (wanted and not wanted.intersection(unit)):
            continue
        back = [
            Change(path, stands, was)
            for path in unit
            if not same(stands := now.get(path, ABSENT), was := before.get(path, ABSENT))
        ]
        if changed is Changed.CONTESTED:
            contested.extend(back)
        if changed is Changed.ONLY_MINE or forced.intersection(unit):
            changes.extend(back)
    return Reverting(tuple(changes), tuple(contested))
