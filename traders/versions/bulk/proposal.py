"""One change of many configurations: previewed for each, saved as one change set, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from traders.schema.paths import Change, Flat, apply, diff
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, SavedVersion, Spec, StoredConfig, flat_of
from traders.versions import queries as configs
from traders.versions.bulk.rounding import Rounding
from traders.versions.edit import names
from traders.versions.edit.services import validated
from traders.versions.lock import LockedFleet, locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules import allocation
from traders.versions.rules.allocation import Allocation, Share
from traders.versions.rules.errors import UnknownConfig
from traders.versions.rules.merge import ChangedBy, three_way
from traders.versions.rules.proposal import riskier_paths

Decide = Callable[[StoredConfig], Flat]
"""What a configuration is to become, given what stands; the same flat back leaves it alone."""

Shares = Mapping[str, Share]
_SET_BY_BOTH = (ChangedBy.CONTESTED, ChangedBy.ONLY_THEIRS)


class ProposalPart(NamedTuple):
    """The effect on one configuration at `version`; `problems` stop the whole save. A tuple: a preview of ten thousand
    traders has ten thousand."""

    config_id: str
    version: int
    changes: tuple[Change, ...]
    riskier: frozenset[str]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class FleetProposal:
    """`parts` leaves out unchanged configurations, which are only counted. `rule` says how the fleet rule would
    break. `roundings` counts, by what was rounded, the traders of which it was, those that stay as they are included:
    the most frequent first."""

    parts: tuple[ProposalPart, ...]
    unchanged: int
    before: Allocation
    after: Allocation
    rule: Problem | None
    roundings: tuple[tuple[Rounding, int], ...] = ()

    @property
    def problems(self) -> list[Problem]:
        found = [problem for part in self.parts for problem in part.problems]
        return [*found, self.rule] if self.rule else found

    @property
    def seen(self) -> dict[str, int]:
        """{config_id: the version that the proposal began from}, for `save_for_traders`."""
        return {part.config_id: part.version for part in self.parts}


class ChangedMeanwhile(Exception):
    """A path of this change was saved by another change since the preview. Nothing was saved."""

    def __init__(self, contested: Mapping[str, Sequence[str]]) -> None:
        self.contested = contested
        names = ", ".join(f"{config_id} ({', '.join(paths)})" for config_id, paths in contested.items())
        super().__init__(f"changed since the preview: {names}")


def propose_for_traders(*, config_ids: Collection[str], decide: Decide, of_fleet: bool = False) -> FleetProposal:
    """The result of `decide` for these traders, and with `of_fleet` for the fleet's settings. Writes nothing.

    Raises UnknownConfig.
    """
    stored = configs.current_traders([name for name in config_ids if name != FLEET_ID])
    settings = configs.current_fleet()
    if of_fleet and FLEET_ID in config_ids and settings:
        stored[FLEET_ID] = settings
    return _proposal(config_ids, stored, decide, settings)[0]


def save_for_traders(
    *,
    config_ids: Collection[str],
    decide: Decide,
    seen: Mapping[str, int],
    reason: str,
    actor: str,
    source: str,
    may_change_fleet: bool = False,
) -> list[SavedVersion]:
    """Saves the result of `decide` for the current configurations, in one change set; without `may_change_fleet` only
    for traders.

    `seen` are the versions of the preview: later edits of other paths are merged, a later edit of the same path raises
    ChangedMeanwhile. Raises InvalidConfig with every problem, and UnknownConfig.
    """
    reason = required_reason(reason)
    with locked_fleet(may_change_fleet=may_change_fleet) as fleet:
        stored = _locked(fleet, config_ids)
        proposal, specs = _proposal(config_ids, stored, decide, fleet.settings)
        _require_as_seen(proposal, stored, seen)
        if proposal.problems:
            raise InvalidConfig(proposal.problems)
        versions = [NewVersion(specs[part.config_id], part.version, part.changes, reason) for part in proposal.parts]
        return fleet.write(versions, source=source, actor=actor)


def _locked(fleet: LockedFleet, config_ids: Collection[str]) -> dict[str, StoredConfig]:
    stored = fleet.traders([name for name in config_ids if name != FLEET_ID])
    if fleet.may_change_fleet and FLEET_ID in config_ids and fleet.settings:
        stored[FLEET_ID] = fleet.settings
    return stored


def _proposal(
    config_ids: Collection[str], stored: Mapping[str, StoredConfig], decide: Decide, settings: StoredConfig | None
) -> tuple[FleetProposal, dict[str, Spec]]:
    require_known(config_ids, stored)
    parts, specs = [], {}
    for config_id, current in stored.items():
        part, spec = part_of(current, decide(current))
        parts.append(part)
        if spec:
            specs[config_id] = spec
    shares, reserve = configs.shares(), configs.reserve_pct(settings)
    after = allocation.after(shares, reserve, specs.values())
    return proposal_of_parts(parts, shares, reserve, after), specs


def require_known(config_ids: Collection[str], found: Collection[str]) -> None:
    """Raises UnknownConfig."""
    if unknown := [name for name in config_ids if name not in found]:
        raise UnknownConfig(unknown[0])


def part_of(current: StoredConfig, flat: Flat) -> tuple[ProposalPart, Spec | None]:
    """The effect on `current`, and the configuration of `flat`; None if that is not valid."""
    config_id, version = current.config_id, current.version
    try:
        spec = validated(config_id, flat, before=current.flat)
    except InvalidConfig as invalid:
        changes = tuple(diff(current.flat, flat))
        return ProposalPart(config_id, version, changes, frozenset(), tuple(invalid.problems)), None
    changes = tuple(diff(current.flat, flat_of(spec)))
    if problems := names.vanished(spec, current.flat) if changes else []:
        return ProposalPart(config_id, version, changes, frozenset(), tuple(problems)), None
    return ProposalPart(config_id, version, changes, riskier_paths(config_id, changes)), spec


def proposal_of_parts(
    parts: Sequence[ProposalPart], shares: Shares, reserve_pct: Decimal, after: tuple[Shares, Allocation]
) -> FleetProposal:
    """The proposal of these parts, one for each requested configuration."""
    changing = tuple(part for part in parts if part.changes)
    traders = [part.config_id for part in parts if part.config_id != FLEET_ID and not part.problems]
    rule = allocation.fleet_rule(after[1], shares=after[0], changed=traders) if changing else None
    before = Allocation(allocation.allocated_pct(shares), reserve_pct)
    return FleetProposal(changing, len(parts) - len(changing), before, after[1], rule)


def _require_as_seen(proposal: FleetProposal, stored: Mapping[str, StoredConfig], seen: Mapping[str, int]) -> None:
    at = {part.config_id: part.version for part in proposal.parts}
    bases = configs.versions({name: seen[name] for name, now in at.items() if seen.get(name, now) != now})
    contested: dict[str, list[str]] = {}
    for part in proposal.parts:
        if seen.get(part.config_id) == part.version:
            continue
        base, theirs = bases.get(part.config_id), stored[part.config_id].flat
        sides = three_way(base=base.flat if base else {}, theirs=theirs, mine=apply(theirs, part.changes))
        # What only they changed would be set back to its base.
        moved = {path for unit in sides if sides[unit] in _SET_BY_BOTH for path in unit}
        if touched := [change.path for change in part.changes if change.path in moved]:
            contested[part.config_id] = touched
    if contested:
        raise ChangedMeanwhile(contested)
