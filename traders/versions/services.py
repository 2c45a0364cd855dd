"""Reads of configurations for pages and commands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs
from traders.versions.queries import NamesInUse
from traders.versions.rules.errors import UnknownConfig, UnknownVersion


def stored(config_id: str) -> StoredConfig | None:
    """The configuration that stands now; None for an unknown trader or when the fleet has no settings yet."""
    return configs.current(config_id)


def existing(config_id: str) -> StoredConfig:
    """Raises UnknownConfig."""
    found = configs.current(config_id)
    if found is None:
        raise UnknownConfig(config_id)
    return found


def existing_trader(trader_id: str) -> StoredConfig:
    """Raises UnknownConfig, also for the id of the fleet's settings."""
    if trader_id == FLEET_ID:
        raise UnknownConfig(trader_id)
    return existing(trader_id)


def version(config_id: str, number: int) -> StoredConfig:
    """Raises UnknownVersion."""
    found = configs.version(config_id, number)
    if found is None:
        raise UnknownVersion(config_id, number)
    return found


def history(config_id: str, *, before: int | None = None, limit: int) -> list[StoredConfig]:
    """Its versions, newest first, of those older than version `before`. Raises UnknownConfig."""
    existing(config_id)
    return configs.history(config_id, before=before, limit=limit)


def active(config_ids: Collection[str] | None = None) -> dict[str, StoredConfig]:
    """{config_id: what stands now}, of all traders and the fleet, or of these. Raises UnknownConfig."""
    found = configs.current_traders(config_ids)
    if config_ids is None or FLEET_ID in config_ids:
        settings = configs.current_fleet()
        found |= {FLEET_ID: settings} if settings else {}
    for config_id in config_ids or ():
        if config_id not in found:
            raise UnknownConfig(config_id)
    return found


def versions(numbers: Mapping[str, int]) -> dict[str, StoredConfig]:
    """{config_id: its version of that number}; what was never there is left out."""
    return configs.versions(numbers)


def at(moment: datetime, trader_ids: Collection[str] = ()) -> dict[str, StoredConfig]:
    """{trader_id: its configuration at `moment`}, of all traders or of these. Raises UnknownConfig for a trader
    that did not exist then."""
    found = configs.traders_at(moment, trader_ids or None)
    for trader_id in trader_ids:
        if trader_id not in found:
            raise UnknownConfig(trader_id, at=moment)
    return found


def then(config_id: str, moment: datetime) -> StoredConfig:
    """What stood at `moment`. Raises UnknownConfig where there was none then."""
    found = (
        configs.fleet_at(moment) if config_id == FLEET_ID else configs.traders_at(moment, [config_id]).get(config_id)
    )
    if found is None:
        raise UnknownConfig(config_id, at=moment)
    return found


def newest_numbers(trader_ids: Collection[str] | None = None) -> dict[str, int]:
    """{trader_id: the number of its newest version}, of all traders or of those of these that exist."""
    return configs.newest_numbers(trader_ids)


def names_in_use() -> NamesInUse:
    """Providers and models that some trader's current version names."""
    return configs.names_in_use()
