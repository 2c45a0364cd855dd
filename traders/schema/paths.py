"""Configurations as dotted paths: `detail.risk.max_positions` -> 3. The unit of diff, merge and history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

Flat = dict[str, Any]
"""{dotted path: value}. A key of `detail.extra` is one path, whatever its value holds."""

EXTRA = "detail.extra"
LEAVES = frozenset({"detail.cloned_from"})
MOST_PARENTS = 10
IGNORED = frozenset({"id", "version", "detail.schema_version"})


class _Absent:
    """A path that one side does not have; only extension keys can be absent."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs. `old` or `new` is ABSENT if that side does not have the path."""

    path: str
    old: Any
    new: Any


def flatten(config: Mapping[str, Any]) -> Flat:
    """A snapshot (`{exchange_provider, ..., detail}`) -> its paths. Identity and schema version are no paths."""
    flat: Flat = {}
    _flatten_into(flat, config, "")
    return flat


def _flatten_into(flat: Flat, value: Mapping[str, Any], prefix: str) -> None:
    for key, item in value.items():
        path = prefix + key
        if path in IGNORED:
            continue
        if isinstance(item, dict) and path not in LEAVES and not path.startswith(EXTRA + "."):
            _flatten_into(flat, item, path + ".")
        else:
            flat[path] = item


class Misplaced(ValueError):
    """A path that goes through a value, or is deeper than any setting."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flatten`: a nested dict that always has `detail.extra`. Raises Misplaced."""
    nested: dict[str, Any] = {"detail": {"extra": {}}}
    for path, value in flat.items():
        parents, leaf = _place(path)
        place = nested
        if len(parents) > MOST_PARENTS:
            raise Misplaced(path)
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise Misplaced(path)
        place[leaf] = value
    return nested


@lru_cache(maxsize=1024)
def _place(path: str) -> tuple[tuple[str, ...], str]:
    *parents, leaf = path.split(".")
    return tuple(parents), leaf


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The changes from `old` to `new`, both flat, in the order of `old`, then the added paths.

    Values are compared as values: 3, 3.0 and Decimal("3.00") are equal; true is not 1.
    """
    changes = [
        Change(path, value, new.get(path, ABSENT))
        for path, value in old.items()
        if not same(value, new.get(path, ABSENT))
    ]
    changes += [Change(path, ABSENT, value) for path, value in new.items() if path not in old]
    return changes


def apply(flat: Mapping[str, Any], changes: Iterable[Change]) -> Flat:
    """`flat` with the new value of every change; `apply(a, diff(a, b))` equals b."""
    result = dict(flat)
    for change in changes:
        if change.new is ABSENT:
            result.pop(change.path, None)
        else:
            result[change.path] = change.new
    return result


def same(a: Any, b: Any) -> bool:
    """Equal as JSON values: numbers by value, booleans never equal to numbers, a tuple as the list that it is written
    as. Raises RecursionError for values that are nested too deep."""
    if a is b:
        return True
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
