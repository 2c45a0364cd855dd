"""What a pin is held to: the version can still run, and the fleet's capital suffices for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from traders.schema.problems import InvalidConfig, Problem
from traders.versions import queries as configs
from traders.versions import services
from traders.versions.edit import names as known_names
from traders.versions.lock import LockedFleet
from traders.versions.rules import allocation
from traders.versions.rules.allocation import Allocation
from traders.versions.rules.errors import UnknownConfig


def require_allowed(fleet: LockedFleet, trader_ids: Sequence[str], version: int) -> None:
    """Raises UnknownConfig, UnknownVersion and InvalidConfig: a model or provider of the version is gone, or the
    fleet's sum, which counts the larger allocation of pinned and newest, would break."""
    problems: list[Problem] = []
    shares = configs.shares()
    for trader_id in trader_ids:
        if trader_id not in shares:
            raise UnknownConfig(trader_id)
        pinned = services.version(trader_id, version)
        problems += known_names.vanished(pinned.spec, None)
        shares[trader_id] = replace(shares[trader_id], pinned_pct=pinned.flat["allocation_pct"])
    reserved = Allocation(allocation.allocated_pct(shares), fleet.reserve_pct)
    if broken := allocation.fleet_rule(reserved, shares=shares, changed=trader_ids):
        problems.append(broken)
    if problems:
        raise InvalidConfig(problems)
