"""The undo of a change, by the three-way rule: the values after the change are the base.

A path that still has the value of the change gets the value before it. A path that was changed since is contested:
it keeps its value, unless it is chosen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from traders.schema.paths import ABSENT, Change, Flat, same
from traders.versions.rules.merge import ChangedBy, three_way, unit_of


@dataclass(frozen=True)
class Reversal:
    """`changes` turn the current values into the proposed ones. `contested` are the paths that were changed since, from
    the current value to the value before the change, whether they are chosen or not."""

    changes: tuple[Change, ...]
    contested: tuple[Change, ...]


def reversal_of(
    *, before: Flat, after: Flat, now: Flat, paths: Collection[str] = (), chosen: Collection[str] = ()
) -> Reversal:
    """Undoes `before` -> `after` on top of `now`. `paths` limits it to these paths (empty: all). `chosen` are contested
    paths that are undone anyway."""
    wanted = {path for name in paths for path in unit_of(name)}
    forced = {path for name in chosen for path in unit_of(name)}
    changes: list[Change] = []
    contested: list[Change] = []
    for unit, changed in three_way(base=after, theirs=now, mine=before).items():
        if changed is ChangedBy.ONLY_THEIRS or (wanted and not wanted.intersection(unit)):
            continue
        back = [
            Change(path, stands, was)
            for path in unit
            if not same(stands := now.get(path, ABSENT), was := before.get(path, ABSENT))
        ]
        if changed is ChangedBy.CONTESTED:
            contested.extend(back)
        if changed is ChangedBy.ONLY_MINE or forced.intersection(unit):
            changes.extend(back)
    return Reversal(tuple(changes), tuple(contested))
