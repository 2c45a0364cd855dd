"""The three-way rule: two sides that began on one base, compared path by path.

`three_way` says which side changed what. What a change of one side alone or of both leads to is the caller's: a sync
(`merge_declared`), an edit on top of a newer version, an undo, a change of many traders, a prompt.

A sync may change what the file changed, never what an operator changed. Stored as the base: applied. Stored as the
file: the base moves. Neither: a conflict, which keeps its base until an operator picks a side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from traders.schema.paths import ABSENT, Change, Flat, same


class MergeSide(StrEnum):
    """Who wins a conflict."""

    YAML = "yaml"
    DB = "db"


# A prompt is one choice, kept in three paths: mixing the template of one side with the text of the other
# would name a prompt that never was.
Unit = tuple[str, ...]
"""The paths that are decided together: one, or path, version and sha256 of a prompt."""

UNITS: tuple[tuple[str, str, str], ...] = tuple(
    (f"detail.prompts.{role}_template", f"detail.prompts.{role}_version", f"detail.prompts.{role}_sha256")
    for role in ("system", "executor")
)
_UNIT_OF: dict[str, Unit] = {path: unit for unit in UNITS for path in unit}


def unit_of(path: str) -> Unit:
    """The paths that are decided together with this one, itself included."""
    return _UNIT_OF.get(path, (path,))


@dataclass(frozen=True, slots=True)
class Divergence:
    """One path that file and operator changed differently. ABSENT: that side has no such path."""

    path: str
    base: Any
    file: Any
    stored: Any


@dataclass
class Merge:
    """`changes` turn the stored configuration into the merged one; `base` is what to remember as declared, and
    `moved` whether it differs from what was remembered before."""

    base: Flat
    moved: bool = False
    changes: list[Change] = field(default_factory=list)
    divergences: list[Divergence] = field(default_factory=list)


Prefer = Callable[[str], MergeSide | None]


@dataclass(frozen=True)
class Preferences:
    """Who wins: `by_path` is keyed by a dotted path or `config_id:path` and goes before `everywhere`."""

    everywhere: MergeSide | None = None
    by_path: Mapping[str, MergeSide] = field(default_factory=dict)

    def of(self, config_id: str) -> Prefer:
        def prefer(path: str) -> MergeSide | None:
            return self.by_path.get(f"{config_id}:{path}", self.by_path.get(path, self.everywhere))

        return prefer


NO_PREFERENCES = Preferences()


class ChangedBy(StrEnum):
    """Which side changed a unit since the base."""

    AGREED = "agreed"  # both, to the same
    ONLY_THEIRS = "only_theirs"
    ONLY_MINE = "only_mine"
    CONTESTED = "contested"  # both, to different values


def three_way(*, base: Flat, theirs: Flat, mine: Flat) -> dict[Unit, ChangedBy]:
    """{unit: which side changed it}, of every unit in which one of the three differs. In the order of `mine`.

    An empty `base` means that both sides began from nothing.
    """
    paths = dict.fromkeys(path for side in (mine, theirs, base) for path in side)
    units = dict.fromkeys(map(unit_of, paths))
    return {unit: found for unit in units if (found := _changed(unit, base, theirs, mine))}


def _changed(unit: Unit, base: Flat, theirs: Flat, mine: Flat) -> ChangedBy | None:
    was, their_values, my_values = (_values(side, unit) for side in (base, theirs, mine))
    if _same(their_values, my_values):
        return None if _same(was, my_values) else ChangedBy.AGREED
    if _same(was, my_values):
        return ChangedBy.ONLY_THEIRS
    return ChangedBy.ONLY_MINE if _same(was, their_values) else ChangedBy.CONTESTED


def merge_declared(
    *, base: Flat | None, file: Flat, stored: Flat, prefer: Prefer, waiting: Collection[str] = ()
) -> Merge:
    """What a sync does with one configuration: the file is my side, what is stored is theirs.

    `base` is None for a configuration that no file declared so far: equal values adopt it, others conflict.
    `waiting` are paths with an open conflict: where one has no base it was never declared, which is not the same
    as declared absent.
    """
    merge = Merge(base=dict(base or {}), moved=base is None)
    sides = three_way(base=base or {}, theirs=stored, mine=file)
    for unit, changed in sides.items():
        if base is not None and changed is ChangedBy.ONLY_THEIRS:
            continue
        never_declared = base is None or (not base.keys() & set(unit) and set(waiting).intersection(unit))
        if changed is ChangedBy.CONTESTED or (never_declared and changed is not ChangedBy.AGREED):
            side = _preferred(unit, prefer)
        else:
            side = MergeSide.YAML
        if side is None:
            merge.divergences += _divergences(unit, *(_values(one, unit) for one in (base or {}, file, stored)))
            continue
        declared = _values(file, unit)
        if side is MergeSide.YAML:
            merge.changes += [
                Change(path, old, new)
                for path, old, new in zip(unit, _values(stored, unit), declared, strict=True)
                if not same(old, new)
            ]
        _move(merge.base, unit, declared)
        merge.moved = True
    return merge


def _preferred(unit: Unit, prefer: Prefer) -> MergeSide | None:
    return next((side for path in unit if (side := prefer(path))), None)


def _values(side: Flat, unit: Unit) -> tuple[Any, ...]:
    return tuple(side.get(path, ABSENT) for path in unit)


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return all(map(same, a, b))


def _divergences(unit: Unit, *sides: tuple[Any, ...]) -> list[Divergence]:
    rows = [Divergence(*row) for row in zip(unit, *sides, strict=True)]
    return [row for row in rows if not same(row.file, row.stored)]


def _move(base: Flat, unit: Unit, declared: tuple[Any, ...]) -> None:
    for path, value in zip(unit, declared, strict=True):
        if value is ABSENT:
            base.pop(path, None)
        else:
            base[path] = value
