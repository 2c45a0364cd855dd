"""Undo of a change set, and restore of the fleet to a moment: previewed, one reason, one new change set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from traders.schema.paths import ABSENT, Change, Flat, apply, diff
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions import queries as configs
from traders.versions.bulk.proposal import (
    ChangedMeanwhile,
    Decide,
    FleetProposal,
    propose_for_traders,
    save_for_traders,
)
from traders.versions.changelog import queries as changelog
from traders.versions.changelog.queries import Filter
from traders.versions.edit.services import require_right
from traders.versions.past import queries as as_of
from traders.versions.rules.errors import UnknownChangeSet
from traders.versions.rules.merge import unit_of
from traders.versions.undo.rules import Reversal, reversal_of


@dataclass(frozen=True)
class UndoScope:
    """What of it: these traders ("@manager" = the fleet's settings) and these paths; empty means all.

    `chosen` are contested (config_id, path) that are to be reversed although they were changed since.
    """

    config_ids: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    chosen: frozenset[tuple[str, str]] = frozenset()

    def chosen_of(self, config_id: str) -> set[str]:
        return {path for name, path in self.chosen if name == config_id}


@dataclass(frozen=True)
class UndoProposal:
    """`contested`: by configuration, the paths that were changed since, from the current value to the value before the
    change set, whether chosen or not. `created`: the traders that the change set made; its undo retires them."""

    fleet: FleetProposal
    contested: Mapping[str, tuple[Change, ...]]
    created: tuple[str, ...]


@dataclass(frozen=True)
class UndoExtent:
    """What there is to choose from: the configurations concerned, and the paths that changed."""

    config_ids: tuple[str, ...]
    paths: tuple[str, ...]


def propose_undo(*, change_set: int, scope: UndoScope = UndoScope()) -> UndoProposal:
    """Writes nothing. Raises UnknownChangeSet."""
    undone = _ChangeSetUndo(change_set, scope)
    fleet = propose_for_traders(config_ids=undone.config_ids, decide=undone.decide, of_fleet=True)
    return UndoProposal(fleet, undone.contested, tuple(sorted(undone.created)))


def extent_of(change_set: int) -> UndoExtent:
    """All that a change set did. Raises UnknownChangeSet."""
    versions = list(changelog.rows(Filter(change_set=change_set)))
    if not versions:
        raise UnknownChangeSet(change_set)
    paths = {path for version in versions for path in version.changed_fields}
    return UndoExtent(tuple(sorted(version.config_id for version in versions)), tuple(sorted(paths)))


def undo(
    *,
    change_set: int,
    scope: UndoScope,
    seen: Mapping[str, int],
    reason: str,
    actor: str,
    may_change_fleet: bool = False,
) -> list[SavedVersion]:
    """As `save_for_traders`; ChangedMeanwhile also where a path became contested since the preview. Raises
    UnknownChangeSet, and FleetNotAllowed where the fleet's settings are in the scope."""
    undone = _ChangeSetUndo(change_set, scope, seen)
    require_right(undone.config_ids, may_change_fleet=may_change_fleet)
    return save_for_traders(
        config_ids=undone.config_ids,
        decide=undone.decide,
        seen=seen,
        reason=reason,
        actor=actor,
        source="undo",
        may_change_fleet=may_change_fleet,
    )


def propose_restore_to(*, moment: datetime, scope: UndoScope = UndoScope()) -> FleetProposal:
    """What restoring every configuration to `moment` would do. Traders made later stay as they are."""
    config_ids, decide = _as_at(moment, scope)
    return propose_for_traders(config_ids=config_ids, decide=decide, of_fleet=True)


def extent_since(moment: datetime) -> UndoExtent:
    """All configurations that were changed after `moment` and existed then."""
    return UndoExtent(
        (*_settings_changed_since(moment), *as_of.changed_since(moment)), tuple(as_of.paths_since(moment))
    )


def restore_to(
    *,
    moment: datetime,
    scope: UndoScope,
    seen: Mapping[str, int],
    reason: str,
    actor: str,
    may_change_fleet: bool = False,
) -> list[SavedVersion]:
    """As `save_for_traders`. Raises FleetNotAllowed where the fleet's settings changed since and are in the scope."""
    config_ids, decide = _as_at(moment, scope)
    require_right(config_ids, may_change_fleet=may_change_fleet)
    return save_for_traders(
        config_ids=config_ids,
        decide=decide,
        seen=seen,
        reason=reason,
        actor=actor,
        source="restore",
        may_change_fleet=may_change_fleet,
    )


class _ChangeSetUndo:
    """A change set's configurations before and after it."""

    def __init__(self, change_set: int, scope: UndoScope, seen: Mapping[str, int] | None = None) -> None:
        pairs = configs.change_set(change_set)
        if not pairs:
            raise UnknownChangeSet(change_set)
        self.scope, self.seen = scope, seen or {}
        self.pairs = {
            after.config_id: (before, after)
            for before, after in pairs
            if not scope.config_ids or after.config_id in scope.config_ids
        }
        self.contested: dict[str, tuple[Change, ...]] = {}
        self.created: set[str] = set()

    @property
    def config_ids(self) -> list[str]:
        return list(self.pairs)

    def decide(self, current: StoredConfig) -> Flat:
        before, after = self.pairs[current.config_id]
        if before is None:
            return self._without(current)
        reversal = self._reversal(before, after, current)
        if reversal.contested:
            self.contested[current.config_id] = reversal.contested
        self._require_as_seen(before, after, current, reversal)
        return apply(current.flat, reversal.changes)

    def _reversal(self, before: StoredConfig, after: StoredConfig, now: StoredConfig) -> Reversal:
        return reversal_of(
            before=before.flat,
            after=after.flat,
            now=now.flat,
            paths=self.scope.paths,
            chosen=self.scope.chosen_of(now.config_id),
        )

    def _require_as_seen(
        self, before: StoredConfig, after: StoredConfig, current: StoredConfig, reversal: Reversal
    ) -> None:
        """Refuses a save that would leave out, unseen, a setting that the preview showed: it was changed since."""
        version = self.seen.get(current.config_id, current.version)
        if version == current.version or (previewed := configs.version(current.config_id, version)) is None:
            return
        previewed_paths = {change.path for change in self._reversal(before, after, previewed).changes}
        left = previewed_paths.intersection(change.path for change in reversal.contested)
        if changed := sorted(left - {change.path for change in reversal.changes}):
            raise ChangedMeanwhile({current.config_id: changed})

    def _without(self, current: StoredConfig) -> Flat:
        """A trader is never deleted: undoing its creation retires it. The fleet's settings stay."""
        if current.config_id == FLEET_ID or (self.scope.paths and "detail.retired" not in self.scope.paths):
            return current.flat
        self.created.add(current.config_id)
        return current.flat | {"detail.retired": True}


def _as_at(moment: datetime, scope: UndoScope) -> tuple[Collection[str], Decide]:
    # A configuration without a newer version already equals its state at that moment.
    traders = scope.config_ids - {FLEET_ID} if scope.config_ids else as_of.changed_since(moment)
    then = configs.traders_at(moment, traders)
    if not scope.config_ids or FLEET_ID in scope.config_ids:
        then |= _settings_changed_since(moment)
    paths = {path for name in scope.paths for path in unit_of(name)}

    def decide(current: StoredConfig) -> Flat:
        changes = [
            change
            for change in diff(current.flat, then[current.config_id].flat)
            if (not paths or change.path in paths) and not _unretires(change)
        ]
        return apply(current.flat, changes)

    return list(then), decide


def _settings_changed_since(moment: datetime) -> dict[str, StoredConfig]:
    """The fleet's settings as they stood at `moment`; empty where there were none, or where they stand so still."""
    then, now = configs.fleet_at(moment), configs.current_fleet()
    return {FLEET_ID: then} if then and now and then.version != now.version else {}


def _unretires(change: Change) -> bool:
    """A restore never unretires a trader: that is an action of its own."""
    return change.path == "detail.retired" and change.new in (False, ABSENT)
