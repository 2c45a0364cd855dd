"""Syncs manager.yaml into the fleet: plans everything, checks the whole, writes it in one transaction or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from traders.manager_yaml.file import ManagerFile
from traders.prompt_texts import writer as prompts
from traders.schema.messages import _
from traders.schema.paths import apply, diff, unflatten
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, Spec, StoredConfig, flat_of, id_of
from traders.schema.settings.trader import TraderSpec
from traders.sync import writer as bases
from traders.sync.rules import MissingTrader, SyncAction, SyncOutcome, SyncReport
from traders.sync.writer import Base, Conflict
from traders.versions import queries as configs
from traders.versions.edit.services import require_inside, require_right, validated
from traders.versions.lock import LockedFleet, locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules import allocation
from traders.versions.rules.allocation import Share
from traders.versions.rules.errors import AlreadyExists
from traders.versions.rules.merge import NO_PREFERENCES, Merge, Preferences, merge_declared

INITIAL = "initial"


class PlanChanged(Exception):
    """The plan has changed since it was confirmed; nothing was written. `report` is the plan as it is now."""

    def __init__(self, report: SyncReport) -> None:
        self.report = report
        super().__init__(f"what syncing {report.path} would do has changed since the plan was made")


@dataclass
class _Plan:
    """The rows to be written, collected configuration by configuration. `inserted` is {new trader: digest}."""

    sha256: str
    reason: str
    outcomes: list[SyncOutcome] = field(default_factory=list)
    versions: list[NewVersion] = field(default_factory=list)
    bases: list[Base] = field(default_factory=list)
    inserted: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    prompts: set[str | None] = field(default_factory=set)
    unchanged: int = 0

    def insert(self, spec: Spec, digest: str, *, reason: str) -> None:
        if isinstance(spec, TraderSpec):
            require_inside(spec.id, spec.detail.journal.dir, before=None)
        self.versions.append(NewVersion(spec, 0, (), reason))
        self.outcomes.append(SyncOutcome(id_of(spec), SyncAction.INSERTED, 1))
        if isinstance(spec, TraderSpec):
            self.inserted[spec.id] = digest
        else:
            self.bases.append(Base(FLEET_ID, spec.model_dump(), digest, self.sha256))

    def merge(self, stored: StoredConfig, merge: Merge, digest: str) -> None:
        changes, conflicts = tuple(merge.changes), tuple(merge.divergences)
        self.bases.append(Base(stored.config_id, unflatten(merge.base), "" if conflicts else digest, self.sha256))
        if not (changes or conflicts or merge.moved):
            self.unchanged += 1
            return
        if changes:
            spec = validated(stored.config_id, apply(stored.flat, changes), before=stored.flat)
            self.versions.append(NewVersion(spec, stored.version, changes, self.reason))
        action = SyncAction.UPDATED if changes else SyncAction.CONFLICT if conflicts else SyncAction.ADOPTED
        version = stored.version + bool(changes)
        self.outcomes.append(SyncOutcome(stored.config_id, action, version, changes, conflicts))
        self.conflicts += [Conflict(stored.config_id, c.path, c.base, c.file, self.sha256) for c in conflicts]

    def retire(self, stored: StoredConfig) -> None:
        spec = validated(stored.config_id, {**stored.flat, "detail.retired": True}, before=stored.flat)
        changes = tuple(diff(stored.flat, flat_of(spec)))
        self.versions.append(NewVersion(spec, stored.version, changes, self.reason))
        self.outcomes.append(SyncOutcome(stored.config_id, SyncAction.RETIRED, stored.version + 1, changes))


def sync(
    *,
    file: ManagerFile,
    actor: str,
    reason: str = "",
    prefer: Preferences = NO_PREFERENCES,
    only: Collection[str] = (),
    retire_missing: bool = False,
    check: bool = False,
    as_planned: str = "",
    may_change_fleet: bool = True,
) -> SyncReport:
    """Applies the changes of `file` to the fleet; with `check` only plans them.

    `only` limits the sync to these traders; the fleet's settings stay. `as_planned` is the fingerprint of the plan that
    was confirmed: raises PlanChanged when the plan has changed since. Raises InvalidConfig, naming the trader, when the
    merged whole would be wrong or break the fleet rule. Raises FleetNotAllowed, also for a plan, when the file changes
    the fleet's settings and `may_change_fleet` is false.
    """
    given = required_reason(reason) if reason else ""
    with locked_fleet(may_change_fleet=may_change_fleet) as fleet:
        plan = _Plan(file.sha256, reason=given or f"sync of {file.path.name}")
        specs = _chosen(file, only)
        digests = {name: digest_of(spec) for name, spec in specs.items()}
        last = bases.digests()
        changed = {name: spec for name, spec in specs.items() if last.get(name) != digests[name]}
        missing = [] if only else sorted(last.keys() - specs.keys())
        shares = configs.shares() if changed or missing else {}
        _plan_changed(plan, fleet, changed, digests, shares, prefer=prefer, initial_reason=given or INITIAL)
        if retire_missing:
            _plan_retirement(plan, fleet, [name for name in missing if not shares[name].retired])
        _require_fleet_rule(plan, fleet, shares, missing)
        report = SyncReport(
            path=str(file.path),
            file_sha256=file.sha256,
            check=check,
            outcomes=tuple(plan.outcomes),
            unchanged=len(specs) - len(changed) + plan.unchanged,
            missing=tuple(MissingTrader(name, shares[name].allocation_pct, shares[name].retired) for name in missing),
            warnings=file.warnings,
        )
        require_right([outcome.config_id for outcome in plan.outcomes], may_change_fleet=may_change_fleet)
        if as_planned and report.fingerprint != as_planned:
            raise PlanChanged(replace(report, check=True))
        if not check:
            _write(plan, fleet, file, actor=actor, missing=missing, whole=not only)
    return replace(report, change_set=fleet.change_set)


def digest_of(spec: Spec) -> str:
    """A digest that recognises an unchanged declaration. If it differs, the values must be compared."""
    return hashlib.blake2b(spec.model_dump_json().encode(), digest_size=16).hexdigest()


def _chosen(file: ManagerFile, only: Collection[str]) -> dict[str, Spec]:
    if not only:
        return {FLEET_ID: file.fleet, **file.traders}
    if unknown := [name for name in only if name not in file.traders]:
        raise InvalidConfig([Problem("", _("is not in %(path)s", path=file.path), name) for name in unknown])
    return {name: file.traders[name] for name in only}


def _plan_changed(
    plan: _Plan,
    fleet: LockedFleet,
    changed: Mapping[str, Spec],
    digests: Mapping[str, str],
    shares: Mapping[str, Share],
    *,
    prefer: Preferences,
    initial_reason: str,
) -> None:
    stored = fleet.traders(changed.keys() & shares.keys())
    if fleet.settings:
        stored[FLEET_ID] = fleet.settings
    _require_new_ids(changed.keys() - stored.keys() - {FLEET_ID}, shares)
    declared = bases.declared(stored.keys() & changed.keys())
    waiting: dict[str, set[str]] = {}
    for conflict in bases.conflicts(declared):
        waiting.setdefault(conflict.config_id, set()).add(conflict.path)
    for name, spec in changed.items():
        if isinstance(spec, TraderSpec):
            plan.prompts |= {spec.detail.prompts.system_sha256, spec.detail.prompts.executor_sha256}
        if name in stored:
            merge = merge_declared(
                base=declared.get(name),
                file=flat_of(spec),
                stored=stored[name].flat,
                prefer=prefer.of(name),
                waiting=waiting.get(name, ()),
            )
            plan.merge(stored[name], merge, digests[name])
        else:
            plan.insert(spec, digests[name], reason=initial_reason)


def _require_new_ids(trader_ids: Collection[str], shares: Mapping[str, Share]) -> None:
    existing = {name.lower(): name for name in shares} if trader_ids else {}
    taken = [AlreadyExists(name, existing[name.lower()]) for name in trader_ids if name.lower() in existing]
    if taken:
        raise InvalidConfig([Problem("id", error.message, error.config_id) for error in taken])


def _plan_retirement(plan: _Plan, fleet: LockedFleet, trader_ids: Collection[str]) -> None:
    for stored in fleet.traders(trader_ids).values():
        plan.retire(stored)


def _require_fleet_rule(plan: _Plan, fleet: LockedFleet, shares: Mapping[str, Share], missing: Collection[str]) -> None:
    if not plan.versions:
        return
    specs = [version.spec for version in plan.versions]
    after, sum_after = allocation.after(shares, configs.reserve_pct(fleet.settings), specs)
    moved = [spec.id for spec in specs if isinstance(spec, TraderSpec) and after[spec.id] != shares.get(spec.id)]
    path = allocation.ALLOCATION_PATH if moved else allocation.RESERVE_PATH
    problem = allocation.fleet_rule(sum_after, shares=after, changed=moved, missing=missing, path=path)
    if problem:
        raise InvalidConfig([replace(problem, trader_id=moved[0]) if len(moved) == 1 else problem])


def _write(
    plan: _Plan, fleet: LockedFleet, file: ManagerFile, *, actor: str, missing: Collection[str], whole: bool
) -> None:
    prompts.keep(text for digest, text in file.prompts.items() if digest in plan.prompts)
    fleet.write(plan.versions, source="sync", actor=actor)
    bases.replace_conflicts([base.config_id for base in plan.bases], plan.conflicts)
    _put_bases(plan, file, missing=missing, whole=whole)


def _put_bases(plan: _Plan, file: ManagerFile, *, missing: Collection[str], whole: bool) -> None:
    """Writes the fleet's base last: if it is the newest, the whole file was synced."""
    fleet_base = [base for base in plan.bases if base.config_id == FLEET_ID]
    bases.put([base for base in plan.bases if base.config_id != FLEET_ID])
    bases.put_as_stored(list(plan.inserted), list(plan.inserted.values()), file.sha256)
    if whole:
        bases.mark_missing(missing)
        bases.put(fleet_base or [Base(FLEET_ID, file.fleet.model_dump(), digest_of(file.fleet), file.sha256)])
