"""One change of many configurations: previewed for each, saved as one change set, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from traders.repositories import configs
from traders.repositories.lock import LockedFleet, locked_fleet
from traders.rules import allocation
from traders.rules.allocation import Allocation
from traders.rules.errors import UnknownConfig
from traders.rules.proposal import riskier_paths
from traders.schema.fleet import FLEET_ID
from traders.schema.paths import Change, Flat, diff
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.stored import NewVersion, SavedVersion, Spec, StoredConfig, flat_of
from traders.services.edit import validated
from traders.services.reason import required_reason

Decide = Callable[[StoredConfig], Flat]
"""What a configuration is to become, given what stands; the same flat back leaves it alone."""


@dataclass(frozen=True)
class Part:
    """What happens to one configuration; `problems` keep the whole from being saved."""

    current: StoredConfig
    changes: tuple[Change, ...]
    riskier: frozenset[str]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class FleetProposal:
    """`parts` leaves out what stays as it is, which is only counted. `rule` says how the fleet rule would break."""

    parts: tuple[Part, ...]
    unchanged: int
    before: Allocation
    after: Allocation
    rule: Problem | None

    @property
    def problems(self) -> list[Problem]:
        found = [problem for part in self.parts for problem in part.problems]
        return [*found, self.rule] if self.rule else found

    @property
    def seen(self) -> dict[str, int]:
        """{config_id: the version this was proposed on}, to be given back to `save_many`."""
        return {part.current.config_id: part.current.version for part in self.parts}


class ChangedMeanwhile(Exception):
    """Somebody saved, since the preview, a path that this change touches. Nothing was saved."""

    def __init__(self, contested: Mapping[str, Sequence[str]]) -> None:
        self.contested = contested
        names = ", ".join(f"{config_id} ({', '.join(paths)})" for config_id, paths in contested.items())
        super().__init__(f"changed since the preview: {names}")


def propose_many(*, config_ids: Collection[str], decide: Decide) -> FleetProposal:
    """What `decide` would make of these configurations. Writes nothing. Raises UnknownConfig."""
    stored = configs.current_traders([name for name in config_ids if name != FLEET_ID])
    settings = configs.current_fleet()
    if FLEET_ID in config_ids and settings:
        stored[FLEET_ID] = settings
    return _proposal(config_ids, stored, decide, settings)[0]


def save_many(
    *,
    config_ids: Collection[str],
    decide: Decide,
    seen: Mapping[str, int],
    reason: str,
    actor: str,
    source: str,
) -> list[SavedVersion]:
    """Saves what `decide` makes of what stands now, in one change set.

    `seen` are the versions of the preview: edits of other paths since then are merged, one of the same path
    raises ChangedMeanwhile. Raises InvalidConfig with every problem, and UnknownConfig.
    """
    reason = required_reason(reason)
    with locked_fleet() as fleet:
        stored = _locked(fleet, config_ids)
        proposal, specs = _proposal(config_ids, stored, decide, fleet.settings)
        _require_as_seen(proposal, seen)
        if proposal.problems:
            raise InvalidConfig(proposal.problems)
        versions = [
            NewVersion(specs[part.current.config_id], part.current.version, part.changes, reason)
            for part in proposal.parts
        ]
        return fleet.write(versions, source=source, actor=actor)


def _locked(fleet: LockedFleet, config_ids: Collection[str]) -> dict[str, StoredConfig]:
    stored = fleet.traders([name for name in config_ids if name != FLEET_ID])
    if FLEET_ID in config_ids and fleet.settings:
        stored[FLEET_ID] = fleet.settings
    return stored


def _proposal(
    config_ids: Collection[str], stored: Mapping[str, StoredConfig], decide: Decide, settings: StoredConfig | None
) -> tuple[FleetProposal, dict[str, Spec]]:
    if unknown := [name for name in config_ids if name not in stored]:
        raise UnknownConfig(unknown[0])
    parts, specs = [], {}
    for config_id, current in stored.items():
        part, spec = _part(current, decide(current))
        if part.changes:
            parts.append(part)
        if spec:
            specs[config_id] = spec
    shares, reserve = configs.shares(), configs.reserve_pct(settings)
    new_shares, after = allocation.after(shares, reserve, specs.values())
    traders = [name for name in specs if name != FLEET_ID]
    rule = allocation.fleet_rule(after, shares=new_shares, changed=traders) if parts else None
    before = Allocation(allocation.allocated_pct(shares), reserve)
    return FleetProposal(tuple(parts), len(stored) - len(parts), before, after, rule), specs


def _part(current: StoredConfig, flat: Flat) -> tuple[Part, Spec | None]:
    try:
        spec = validated(current.config_id, flat)
    except InvalidConfig as invalid:
        changes = tuple(diff(current.flat, flat))
        return Part(current, changes, frozenset(), tuple(invalid.problems)), None
    changes = tuple(diff(current.flat, flat_of(spec)))
    return Part(current, changes, riskier_paths(current.config_id, changes)), spec


def _require_as_seen(proposal: FleetProposal, seen: Mapping[str, int]) -> None:
    at = {part.current.config_id: part.current.version for part in proposal.parts}
    bases = configs.versions({name: seen[name] for name, now in at.items() if seen.get(name, now) != now})
    contested: dict[str, list[str]] = {}
    for part in proposal.parts:
        config_id = part.current.config_id
        if seen.get(config_id) == part.current.version:
            continue
        base = bases.get(config_id)
        moved = {change.path for change in diff(base.flat if base else {}, part.current.flat)}
        if touched := [change.path for change in part.changes if change.path in moved]:
            contested[config_id] = touched
    if contested:
        raise ChangedMeanwhile(contested)
