"""The fleet as of a moment, for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs
from traders.versions.past import queries as as_of
from traders.versions.past.queries import PageAsOf, Search
from traders.versions.rules.allocation import Allocation

PAGE = 50


@dataclass(frozen=True)
class FleetAsOf:
    """One page of the fleet at `moment`. `settings` is None if the fleet had none yet."""

    moment: datetime
    settings: StoredConfig | None
    allocation: Allocation
    page: PageAsOf
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.page.matching // PAGE))


def fleet_as_of(moment: datetime, search: Search, *, number: int = 1) -> FleetAsOf:
    """Page `number` from 1. Three statements, however large the fleet and its history."""
    settings = configs.fleet_at(moment)
    page = as_of.page_at(moment, search, offset=(number - 1) * PAGE, limit=PAGE)
    return FleetAsOf(moment, settings, Allocation(page.allocated_pct, configs.reserve_pct(settings)), page, number)


def config_as_of(config_id: str, moment: datetime) -> StoredConfig | None:
    """None for a trader, or settings of the fleet, that were made later."""
    if config_id == FLEET_ID:
        return configs.fleet_at(moment)
    return configs.traders_at(moment, [config_id]).get(config_id)


def matching_ids(moment: datetime, search: Search) -> list[str]:
    """All traders of that moment that match."""
    return as_of.matching_ids(moment, search)


def made_since(moment: datetime) -> int:
    """How many traders were made after `moment`."""
    return as_of.count_made_since(moment)
