"""Taking back what a change did: the same three-way rule, with the change's outcome as the base.

A path that still stands as the change left it goes back to what it was before. One that was changed
since is contested and stays, unless it is chosen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from traders.schema.paths import ABSENT, Change, Flat, diff, same
from traders.versions.rules.merge import unit_of


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
    contested paths that are to go back all the same."""
    wanted = {path for name in paths for path in unit_of(name)}
    forced = {path for name in chosen for path in unit_of(name)}
    units = dict.fromkeys(unit_of(change.path) for change in diff(before, after))
    changes: list[Change] = []
    contested: list[Change] = []
    for unit in units:
        if wanted and not wanted.intersection(unit):
            continue
        back = [
            Change(path, stands, was)
            for path in unit
            if not same(stands := now.get(path, ABSENT), was := before.get(path, ABSENT))
        ]
        touched = any(not same(now.get(path, ABSENT), after.get(path, ABSENT)) for path in unit)
        if touched:
            contested.extend(back)
        if not touched or forced.intersection(unit):
            changes.extend(back)
    return Reverting(tuple(changes), tuple(contested))
