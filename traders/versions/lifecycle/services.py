"""Clones, retires and unretires traders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import ROUND_DOWN, Decimal

from django.conf import settings

from traders.controls import facts
from traders.controls import services as controls
from traders.controls.preview import MovedMeanwhile, preview
from traders.controls.services import Asked
from traders.controls.writer import locked_controls
from traders.manager_yaml import declared
from traders.manager_yaml.file import InvalidFile
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.schema.settings.validate import require_trader_id
from traders.versions import services as configs
from traders.versions.bulk.proposal import Decide, FleetProposal, propose_for_traders, save_for_traders
from traders.versions.edit import services as edit
from traders.versions.lock import locked_fleet
from traders.versions.rules.errors import UnknownConfig, UnknownVersion

PAPER_TYPE = "sim"
"""The `type` in exchange.yaml of an exchange that trades on paper."""
# What a variant begins with where the trader has no capital, in USD.
NO_CAPITAL_OFFERED = Decimal(10_000)


def clone_of(source: StoredConfig, *, display_name: str = "") -> Flat:
    """The settings of a clone: those of the source, without allocation and auto start, with `cloned_from`."""
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
    return _cloned(trader_id, version, new_id, display_name, {"detail.paper_capital_usd": Decimal(0)}, reason, actor)


def _cloned(
    trader_id: str, version: int, new_id: str, display_name: str, changed: Flat, reason: str, actor: str
) -> SavedVersion:
    if trader_id == FLEET_ID:
        raise UnknownConfig(trader_id)
    require_trader_id(new_id)
    source = configs.version(trader_id, version)
    saved = edit.save(
        config_id=new_id,
        flat=clone_of(source, display_name=display_name) | changed,
        expected_version=0,
        reason=reason,
        actor=actor,
        source="clone",
    )
    if saved is None:
        raise UnknownVersion(trader_id, version)
    return saved


def paper_variant(
    *,
    trader_id: str,
    version: int,
    new_id: str,
    display_name: str = "",
    exchange_provider: str,
    paper_capital_usd: Decimal,
    reason: str,
    actor: str,
) -> SavedVersion:
    """Makes `new_id` from any version of a trader, on the paper exchange and with capital of its own, so that the
    fleet's sum stays as it is. Raises as `clone`, InvalidConfig also for an exchange that is not paper."""
    if exchange_provider not in paper_exchanges():
        message = _("must be an exchange of type %(kind)s, which trades on paper", kind=PAPER_TYPE)
        raise InvalidConfig([Problem("exchange_provider", message)])
    if paper_capital_usd <= 0:
        raise InvalidConfig([Problem("detail.paper_capital_usd", _("must be above 0"))])
    on_paper = {"exchange_provider": exchange_provider, "detail.paper_capital_usd": paper_capital_usd}
    return _cloned(trader_id, version, new_id, display_name, on_paper, reason, actor)


def paper_exchanges() -> list[str]:
    """The exchange providers that trade on paper, by name; none where exchange.yaml is absent or cannot be read."""
    try:
        declared_there = declared.exchanges(settings.MANAGER_YAML.parent)
    except InvalidFile:
        return []
    return sorted(name for name, keys in declared_there.items() if keys.get("type") == PAPER_TYPE)


def capital_offered(source: StoredConfig) -> Decimal:
    """What the trader has of the fleet's equity, to the cent, or its paper capital; a round sum where it has none."""
    if own := source.flat["detail.paper_capital_usd"]:
        return Decimal(own)
    fleet = configs.stored(FLEET_ID)
    total = fleet.flat["detail.manager.total_equity_usd"] if fleet else Decimal(0)
    share = Decimal(total * source.flat["allocation_pct"] / 100)
    return share.quantize(Decimal("0.01"), ROUND_DOWN) or NO_CAPITAL_OFFERED


def propose_retirement(*, trader_ids: Collection[str], retired: bool) -> FleetProposal:
    """The proposal to retire or unretire these traders. Writes nothing."""
    return propose_for_traders(config_ids=trader_ids, decide=_retired(retired))


def set_retired(
    *, trader_ids: Collection[str], retired: bool, seen: Mapping[str, int], reason: str, actor: str
) -> list[SavedVersion]:
    """As `save_for_traders`. To unretire is refused where the sum of the allocations would exceed its limit. Raises
    InvalidConfig for no traders."""
    if not trader_ids:
        raise InvalidConfig([Problem("", _("choose at least one trader"))])
    return save_for_traders(
        config_ids=trader_ids, decide=_retired(retired), seen=seen, reason=reason, actor=actor, source="admin"
    )


def holding(trader_ids: Collection[str]) -> list[str]:
    """Those of these traders that have an open position."""
    return sorted(name for name, held in (facts.open_positions(trader_ids) or {}).items() if held)


def positions_seen(trader_ids: Collection[str]) -> str:
    """Stands for all that a preview of closing what these traders hold shows."""
    return preview(ControlKind.CLOSE, holding(trader_ids)).seen


def close_and_retire(
    *, trader_ids: Collection[str], seen: Mapping[str, int], positions: str, reason: str, actor: str
) -> list[SavedVersion]:
    """As `set_retired`, and asks to close what the traders hold. A close that leaves something is followed by the
    drain of every retirement. `positions` is what `positions_seen` said: raises MovedMeanwhile where it differs."""
    with locked_fleet(), locked_controls():
        if positions_seen(trader_ids) != positions:
            raise MovedMeanwhile
        saved = set_retired(trader_ids=trader_ids, retired=True, seen=seen, reason=reason, actor=actor)
        if names := holding([one.config_id for one in saved]):
            controls.control(ControlKind.CLOSE, names, Asked(reason=reason, actor=actor, keep_trading=True))
        return saved


def _retired(retired: bool) -> Decide:
    def decide(current: StoredConfig) -> Flat:
        return current.flat | {"detail.retired": retired}

    return decide
