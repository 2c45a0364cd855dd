"""Sync conflicts that wait for an operator, and the operator's choices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traders.schema.paths import ABSENT, Change, Flat, apply, same, unflatten
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, SavedVersion, StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.sync import writer as bases
from traders.sync.writer import Base, Conflict
from traders.versions import queries as configs
from traders.versions.edit.services import require_right, validated
from traders.versions.lock import LockedFleet, locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules import allocation
from traders.versions.rules.errors import StaleEdit, UnknownConfig
from traders.versions.rules.merge import MergeSide, unit_of

Choices = Mapping[tuple[str, str], MergeSide]
"""{(config_id, path): who wins}; a prompt's paths are decided together by the choice of any of them."""


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """What the file declared before (`base`), declares now (`file`), and what is `stored` at `version`."""

    config_id: str
    path: str
    base: Any
    file: Any
    stored: Any
    version: int
    seen_at: datetime | None


def open_conflicts() -> list[OpenConflict]:
    """All of them, by configuration and path."""
    waiting = bases.conflicts()
    stored = {name: found for name in {c.config_id for c in waiting} if (found := configs.current(name))}
    return [
        OpenConflict(c.config_id, c.path, c.base, c.file, at.flat.get(c.path, ABSENT), at.version, c.seen_at)
        for c in waiting
        if (at := stored.get(c.config_id))
    ]


def settle(
    *,
    choices: Choices,
    reason: str,
    actor: str,
    expected_versions: Mapping[str, int] | None = None,
    may_change_fleet: bool = False,
) -> list[SavedVersion]:
    """`yaml` applies the file's value as a new version; `db` keeps what is stored and only moves the base.

    One change set, all or nothing. Raises InvalidConfig, UnknownConfig, StaleEdit when a configuration is
    no longer at its expected version, and FleetNotAllowed for a choice about the fleet's settings.
    """
    reason = required_reason(reason)
    config_ids = sorted({config_id for config_id, _ in choices})
    require_right(config_ids, may_change_fleet=may_change_fleet)
    with locked_fleet(may_change_fleet=may_change_fleet) as fleet:
        current = _current(fleet, config_ids, expected_versions or {})
        chosen = {name: [c for c in bases.conflicts([name]) if _side(choices, c)] for name in config_ids}
        versions = [
            version for name in config_ids if (version := _version(current[name], chosen[name], choices, reason))
        ]
        _require_fleet_rule(fleet, versions)
        saved = fleet.write(versions, source="sync", actor=actor)
        _forget(chosen)
    return saved


def _current(fleet: LockedFleet, config_ids: Sequence[str], expected: Mapping[str, int]) -> dict[str, StoredConfig]:
    found = fleet.traders([name for name in config_ids if name != FLEET_ID])
    if fleet.settings:
        found[FLEET_ID] = fleet.settings
    for name in config_ids:
        if name not in found:
            raise UnknownConfig(name)
        if found[name].version != expected.get(name, found[name].version):
            base = configs.version(name, expected[name])
            raise StaleEdit(base=base, theirs=found[name], mine={}, expected_version=expected[name])
    return found


def _side(choices: Choices, conflict: Conflict) -> MergeSide | None:
    unit = unit_of(conflict.path)
    return next((choices[key] for path in unit if (key := (conflict.config_id, path)) in choices), None)


def _version(
    current: StoredConfig, conflicts: Collection[Conflict], choices: Choices, reason: str
) -> NewVersion | None:
    changes = tuple(
        Change(c.path, old, c.file)
        for c in conflicts
        if _side(choices, c) is MergeSide.YAML and not same(old := current.flat.get(c.path, ABSENT), c.file)
    )
    if not changes:
        return None
    spec = validated(current.config_id, apply(current.flat, changes), before=current.flat)
    return NewVersion(spec, current.version, changes, reason)


def _require_fleet_rule(fleet: LockedFleet, versions: Sequence[NewVersion]) -> None:
    specs = [version.spec for version in versions]
    shares, after = allocation.after(configs.shares(), configs.reserve_pct(fleet.settings), specs)
    traders = [spec.id for spec in specs if isinstance(spec, TraderSpec)]
    if specs and (problem := allocation.fleet_rule(after, shares=shares, changed=traders)):
        raise InvalidConfig([problem])


def _forget(chosen: Mapping[str, Sequence[Conflict]]) -> None:
    """The file's value becomes the base, whichever side was chosen; other conflicts of the configuration stay open."""
    declared = bases.declared(list(chosen))
    moved = []
    for name, conflicts in chosen.items():
        still_open = [c for c in bases.conflicts([name]) if c.path not in {done.path for done in conflicts}]
        bases.replace_conflicts([name], still_open)
        if conflicts:
            base: Flat = apply(declared.get(name, {}), [Change(c.path, ABSENT, c.file) for c in conflicts])
            moved.append(Base(name, unflatten(base), digest="", file_sha256=conflicts[-1].file_sha256))
    bases.put(moved)
