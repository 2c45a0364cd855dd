"""Removes long dead fields from the live store."""

from __future__ import annotations

from trading.live import queries as projection
from trading.live.redis.outage import demand
from trading.live.upkeep import sweep as live_store


def sweep(*, dry_run: bool = False) -> int:
    """Removes long dead fields; returns their number. Raises Unavailable."""
    return demand(lambda client: live_store.dead(client, projection.fleet(), dry_run=dry_run))
