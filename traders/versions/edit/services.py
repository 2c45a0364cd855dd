"""An operator's edit of one configuration: proposed first, then saved as a new version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from os.path import realpath
from pathlib import Path
from typing import Any

from django.conf import settings as site

from traders.schema.messages import _
from traders.schema.paths import Flat, diff, unflatten
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.journal import DIR_PATH, journal_dir_problem
from traders.schema.settings.stored import NewVersion, SavedVersion, Spec, StoredConfig, flat_of, id_of, spec_of_row
from traders.schema.settings.validate import validate_fleet, validate_trader
from traders.versions import queries as configs
from traders.versions.edit import names
from traders.versions.lock import LockedFleet, locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules import allocation
from traders.versions.rules.allocation import Allocation, Share
from traders.versions.rules.errors import AlreadyExists, FleetNotAllowed, OverAllocated, StaleEdit, UnknownConfig
from traders.versions.rules.proposal import Proposal, riskier_paths

OF_THE_SUM = frozenset({allocation.ALLOCATION_PATH, allocation.RESERVE_PATH, "detail.retired"})
"""The paths that the fleet's sum is made of."""


def propose(*, config_id: str, flat: Flat, expected_version: int) -> Proposal:
    """What a save of `flat` (the whole configuration by dotted path) after `expected_version` would do.

    `expected_version` 0 makes a new trader. Writes nothing. Raises InvalidConfig with every problem at its
    path, StaleEdit, UnknownConfig and AlreadyExists.
    """
    settings = configs.current_fleet()
    current = settings if config_id == FLEET_ID else configs.current(config_id)
    return _proposal(config_id, flat, expected_version, current, settings)


def save(
    *,
    config_id: str,
    flat: Flat,
    expected_version: int,
    reason: str,
    actor: str,
    source: str = "admin",
    may_change_fleet: bool = False,
    savepoint: bool = True,
) -> SavedVersion | None:
    """Saves a new version; None when nothing differs. `savepoint` as in `locked_fleet`. Raises what `propose` raises,
    and FleetNotAllowed."""
    reason = required_reason(reason)
    require_right([config_id], may_change_fleet=may_change_fleet)
    with locked_fleet(may_change_fleet=may_change_fleet, savepoint=savepoint) as fleet:
        row = fleet.row(config_id)
        require_version(config_id, flat, expected_version, row.version if row else None)
        version = new_version(fleet, config_id, unflatten(flat), reason=reason)
        return fleet.write_one(version, source=source, actor=actor) if version else None


def new_version(fleet: LockedFleet, config_id: str, nested: Mapping[str, Any], *, reason: str) -> NewVersion | None:
    """The version that a save of this whole configuration writes after the current one, validated; None when nothing
    differs.

    Raises InvalidConfig, also for unknown names and for a fleet that would get too much.
    """
    row = fleet.row(config_id)
    before = flat_of(spec_of_row(row)) if row else {}
    spec = _valid(config_id, nested, before=before if row else None)
    changes = tuple(diff(before, flat_of(spec)))
    if not changes:
        return None
    if row is None or OF_THE_SUM.intersection(change.path for change in changes):
        _fleet_rule(spec, configs.shares(), fleet.reserve_pct)
    return NewVersion(spec, row.version if row else 0, changes, reason)


def write(fleet: LockedFleet, proposal: Proposal, *, reason: str, actor: str, source: str) -> SavedVersion | None:
    """Writes a proposal made under this lock."""
    if not proposal.changes:
        return None
    new = NewVersion(proposal.spec, proposal.next_version - 1, proposal.changes, reason)
    return fleet.write([new], source=source, actor=actor)[0]


def require_right(config_ids: Collection[str], *, may_change_fleet: bool) -> None:
    """Raises FleetNotAllowed where the fleet's settings are among these and may not be changed."""
    if FLEET_ID in config_ids and not may_change_fleet:
        raise FleetNotAllowed


def validated(config_id: str, flat: Flat, *, before: Flat | None = None) -> Spec:
    """`before` is the current configuration, if there is one. Raises InvalidConfig."""
    return _validated(config_id, unflatten(flat), before=before)


def _valid(config_id: str, nested: Mapping[str, Any], *, before: Flat | None) -> Spec:
    """As `validated`; also raises InvalidConfig for a name that nothing defines."""
    spec = _validated(config_id, nested, before=before)
    if problems := names.unknown(spec, before):
        raise InvalidConfig(problems)
    return spec


def _validated(config_id: str, nested: Mapping[str, Any], *, before: Flat | None) -> Spec:
    if config_id == FLEET_ID:
        return validate_fleet(nested)
    spec = validate_trader(config_id, nested, before=before)
    require_inside(config_id, spec.detail.journal.dir, before=before)
    return spec


def require_inside(trader_id: str, journal_dir: str, *, before: Flat | None) -> None:
    """Raises InvalidConfig for a new directory of cycle files that leads out of the journal root, also by a link on
    this machine."""
    # "" is the root itself: a first import of ten thousand traders asks the file system for none of them.
    if not journal_dir or journal_dir == (before or {}).get(DIR_PATH):
        return
    problem = journal_dir_problem(journal_dir)
    root = Path(realpath(site.JOURNAL_ROOT))
    if problem is None and not Path(realpath(root / journal_dir)).is_relative_to(root):
        problem = _(
            "must be a path below the journal root %(root)s; %(path)s leads out of it by a link",
            root=root,
            path=repr(journal_dir),
        )
    if problem:
        raise InvalidConfig([Problem(DIR_PATH, problem, trader_id)])


def proposal_of(
    spec: Spec, *, current: StoredConfig | None, settings: StoredConfig | None, shares: dict[str, Share]
) -> Proposal:
    """Raises InvalidConfig when the change would break the fleet rule or has an unknown name."""
    config_id = id_of(spec)
    changes = tuple(diff(current.flat if current else {}, flat_of(spec)))
    reserve = configs.reserve_pct(settings)
    after = _fleet_rule(spec, shares, reserve)
    before = Allocation(allocation.allocated_pct(shares), reserve)
    return Proposal(spec, current, changes, riskier_paths(config_id, changes), before, after)


def _fleet_rule(spec: Spec, shares: Mapping[str, Share], reserve_pct: Decimal) -> Allocation:
    """The allocation with `spec` in place. Raises OverAllocated."""
    new_shares, after = allocation.after(shares, reserve_pct, [spec])
    is_fleet = id_of(spec) == FLEET_ID
    path = allocation.RESERVE_PATH if is_fleet else allocation.ALLOCATION_PATH
    changed = [] if is_fleet else [id_of(spec)]
    if problem := allocation.fleet_rule(after, shares=new_shares, changed=changed, path=path):
        raise OverAllocated([problem])
    return after


def _proposal(
    config_id: str, flat: Flat, expected_version: int, current: StoredConfig | None, settings: StoredConfig | None
) -> Proposal:
    require_version(config_id, flat, expected_version, current.version if current else None)
    spec = _valid(config_id, unflatten(flat), before=current.flat if current else None)
    return proposal_of(spec, current=current, settings=settings, shares=configs.shares())


def require_version(config_id: str, mine: Flat, expected_version: int, stands_at: int | None) -> None:
    """Raises unless the configuration still has the version that the editor started from."""
    if stands_at is None and expected_version == 0:
        if taken := configs.same_id_ignoring_case(config_id):
            raise AlreadyExists(config_id, taken)
    elif stands_at is None:
        raise UnknownConfig(config_id)
    elif expected_version == 0 and config_id != FLEET_ID:
        raise AlreadyExists(config_id, config_id)
    elif stands_at != expected_version:
        theirs = configs.version(config_id, stands_at)
        if theirs is None:
            raise UnknownConfig(config_id)
        base = configs.version(config_id, expected_version)
        raise StaleEdit(base=base, theirs=theirs, mine=mine, expected_version=expected_version)
