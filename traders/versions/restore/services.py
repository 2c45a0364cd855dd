"""Restores an older version as a new version."""

from __future__ import annotations

from collections.abc import Collection

from traders.schema.paths import apply, diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion, Spec, StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from traders.versions.edit import names
from traders.versions.edit.services import proposal_of, require_inside, require_right, require_version, validated, write
from traders.versions.lock import locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules.errors import UnknownConfig, UnknownVersion
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import Proposal


def propose_restore(*, config_id: str, version: int, expected_version: int, keep: Collection[str] = ()) -> Proposal:
    """What a restore of `version` would do now; the paths in `keep` stay as they are.

    Raises UnknownConfig, UnknownVersion, StaleEdit and InvalidConfig.
    """
    settings = configs.current_fleet()
    current = settings if config_id == FLEET_ID else configs.current(config_id)
    return _proposal(config_id, version, expected_version, current, settings, keep)


def restore(
    *,
    config_id: str,
    version: int,
    expected_version: int,
    reason: str,
    actor: str,
    keep: Collection[str] = (),
    may_change_fleet: bool = False,
) -> SavedVersion | None:
    """Makes the version after the current one equal to `version`, but for `keep`; None when nothing differs.

    Raises what `propose_restore` raises, and FleetNotAllowed.
    """
    reason = required_reason(reason)
    require_right([config_id], may_change_fleet=may_change_fleet)
    with locked_fleet(may_change_fleet=may_change_fleet) as fleet:
        proposal = _proposal(config_id, version, expected_version, fleet.one(config_id), fleet.settings, keep)
        return write(fleet, proposal, reason=reason, actor=actor, source="restore")


def _proposal(
    config_id: str,
    number: int,
    expected_version: int,
    current: StoredConfig | None,
    settings: StoredConfig | None,
    keep: Collection[str],
) -> Proposal:
    if current is None:
        raise UnknownConfig(config_id)
    old = configs.version(config_id, number)
    if old is None:
        raise UnknownVersion(config_id, number)
    require_version(config_id, old.flat, expected_version, current.version)
    spec = _as_of_now(_keeping(keep, old, current), current.spec)
    if isinstance(spec, TraderSpec):
        require_inside(config_id, spec.detail.journal.dir, before=current.flat)
    if problems := names.vanished(spec, current.flat):
        raise InvalidConfig(problems)
    return proposal_of(spec, current=current, settings=settings, shares=configs.shares())


def _keeping(keep: Collection[str], old: StoredConfig, current: StoredConfig) -> Spec:
    """The old version with the current values of these paths."""
    kept = {path for name in keep for path in unit_of(name)}
    stays = [change for change in diff(old.flat, current.flat) if change.path in kept]
    return validated(current.config_id, apply(old.flat, stays), before=current.flat) if stays else old.spec


def _as_of_now(old: Spec, current: Spec) -> Spec:
    """A restore never unretires a trader: that is an action of its own."""
    if isinstance(old, TraderSpec) and isinstance(current, TraderSpec) and current.detail.retired:
        return old.model_copy(update={"detail": old.detail.model_copy(update={"retired": True})})
    return old
