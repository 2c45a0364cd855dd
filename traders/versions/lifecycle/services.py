"""A trader's beginning and end: cloned, retired, brought back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.schema.settings.validate import require_trader_id
from traders.versions import services as configs
from traders.versions.bulk.many import Decide, FleetProposal, propose_many, save_many
from traders.versions.edit import services as edit
from traders.versions.rules.errors import UnknownConfig, UnknownVersion


def clone_of(source: StoredConfig, *, display_name: str = "") -> Flat:
    """What a clone starts as: the same settings, no capital, not to be started, and where it came from."""
    return source.flat | {
        "allocation_pct": Decimal(0),
        "detail.auto_start": False,
        "detail.retired": False,
        "detail.cloned_from": {"trader_id": source.config_id, "version": source.version},
        "detail.display_name": display_name.strip() or source.flat["detail.display_name"],
    }


def clone(
    *, trader_id: str, version: int, new_id: str, display_name: str = "", reason: str, actor: str
) -> SavedVersion:
    """Makes `new_id` from any version of a trader. Raises UnknownConfig, AlreadyExists and InvalidConfig."""
    if trader_id == FLEET_ID:
        raise UnknownConfig(trader_id)
    require_trader_id(new_id)
    source = configs.version(trader_id, version)
    saved = edit.save(
        config_id=new_id,
        flat=clone_of(source, display_name=display_name),
        expected_version=0,
        reason=reason,
        actor=actor,
        source="clone",
    )
    if saved is None:
        raise UnknownVersion(trader_id, version)
    return saved


def propose_retirement(*, trader_ids: Collection[str], retired: bool) -> FleetProposal:
    """What retiring these traders, or bringing them back, would do. Writes nothing."""
    return propose_many(config_ids=trader_ids, decide=_retired(retired))


def set_retired(
    *, trader_ids: Collection[str], retired: bool, seen: Mapping[str, int], reason: str, actor: str
) -> list[SavedVersion]:
    """As `many.save_many`; bringing back is held to the fleet rule. Raises InvalidConfig for no traders."""
    if not trader_ids:
        raise InvalidConfig([Problem("", _("choose at least one trader"))])
    return save_many(
        config_ids=trader_ids, decide=_retired(retired), seen=seen, reason=reason, actor=actor, source="admin"
    )


def _retired(retired: bool) -> Decide:
    def decide(current: StoredConfig) -> Flat:
        return current.flat | {"detail.retired": retired}

    return decide
