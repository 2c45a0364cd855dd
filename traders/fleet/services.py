"""Key figures of the fleet, for the list of traders and the index page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from traders.sync import writer as bases
from traders.versions import queries as configs
from traders.versions.rules.allocation import Allocation


@dataclass(frozen=True, slots=True)
class FleetOverview:
    """`last_sync` is None until a manager.yaml was synced; `has_settings`: the fleet's settings are stored."""

    allocation: Allocation
    traders: int
    retired: int
    open_conflicts: int
    last_sync: datetime | None
    has_settings: bool


def open_conflicts() -> int:
    """The number in the menu."""
    return bases.count_of_conflicts()


def overview() -> FleetOverview:
    sums, settings, last_sync = configs.fleet_sums(), configs.current_fleet(), bases.last_sync()
    return FleetOverview(
        allocation=Allocation(sums.allocated_pct, configs.reserve_pct(settings)),
        traders=sums.traders,
        retired=sums.retired,
        open_conflicts=bases.count_of_conflicts(),
        last_sync=last_sync.synced_at if last_sync else None,
        has_settings=settings is not None,
    )
