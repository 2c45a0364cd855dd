"""The three-way rule of a sync: the file may change what it changed, never what an operator changed.

For each path: what the file declared last (base), what it declares now (file) and what is stored. Only a path
that the file changed is looked at; stored as the base -> applied; stored as the file -> the base moves;
neither -> a conflict, which keeps its base until an operator picks a side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from traders.schema.paths import ABSENT, Change, Flat, same


class Side(StrEnum):
    """Who wins a conflict."""

    YAML = "yaml"
    DB = "db"


# A prompt is one choice, kept in three paths: mixing the template of one side with the text of the other
# would name a prompt that never was.
Unit = tuple[str, str, str]
"""Path, version and sha256 of one prompt."""

UNITS: tuple[Unit, ...] = tuple(
    (f"detail.prompts.{role}_template", f"detail.prompts.{role}_version", f"detail.prompts.{role}_sha256")
    for role in ("system", "executor")
)
_UNIT_OF: dict[str, tuple[str, ...]] = {path: unit for unit in UNITS for path in unit}


def unit_of(path: str) -> tuple[str, ...]:
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


Prefer = Callable[[str], Side | None]


@dataclass(frozen=True)
class Preferences:
    """Who wins: `by_path` is keyed by a dotted path or `config_id:path` and goes before `everywhere`."""

    everywhere: Side | None = None
    by_path: Mapping[str, Side] = field(default_factory=dict)

    def of(self, config_id: str) -> Prefer:
        def prefer(path: str) -> Side | None:
            return self.by_path.get(f"{config_id}:{path}", self.by_path.get(path, self.everywhere))

        return prefer


NO_PREFERENCES = Preferences()


def three_way(*, base: Flat | None, file: Flat, stored: Flat, prefer: Prefer, waiting: Collection[str] = ()) -> Merge:
    """`base` is None for a configuration that no file declared so far: equal values adopt it, others conflict.

    `waiting` are paths with an open conflict: where one has no base it was never declared, which is not the same
    as declared absent.
    """
    merge = Merge(base=dict(base or {}))
    for unit in _units(base or {}, file, stored):
        was, declared, holds = (_values(side, unit) for side in (base or {}, file, stored))
        if base is not None and _same(declared, was):
            continue
        side = None
        if not _same(declared, holds):
            known = base is not None and not (set(waiting).intersection(unit) and not base.keys() & set(unit))
            untouched = known and _same(holds, was)
            side = Side.YAML if untouched else _preferred(unit, prefer)
            if side is None:
                merge.divergences += _divergences(unit, was, declared, holds)
                continue
        if side is Side.YAML:
            merge.changes += [
                Change(path, old, new)
                for path, old, new in zip(unit, holds, declared, strict=True)
                if not same(old, new)
            ]
        _move(merge.base, unit, declared)
        merge.moved = True
    merge.moved |= base is None
    return merge


def _preferred(unit: tuple[str, ...], prefer: Prefer) -> Side | None:
    return next((side for path in unit if (side := prefer(path))), None)


def _units(*sides: Flat) -> Iterator[tuple[str, ...]]:
    return iter(dict.fromkeys(unit_of(path) for side in sides[1:] + sides[:1] for path in side))


def _values(side: Flat, unit: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(side.get(path, ABSENT) for path in unit)


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return all(map(same, a, b))


def _divergences(unit: tuple[str, ...], *sides: tuple[Any, ...]) -> list[Divergence]:
    rows = [Divergence(*row) for row in zip(unit, *sides, strict=True)]
    return [row for row in rows if not same(row.file, row.stored)]


def _move(base: Flat, unit: tuple[str, ...], declared: tuple[Any, ...]) -> None:
    for path, value in zip(unit, declared, strict=True):
        if value is ABSENT:
            base.pop(path, None)
        else:
            base[path] = value
