"""What is long dead leaves the live store."""

from __future__ import annotations

from trading.live import queries as projection
from trading.live.redis.outage import demand
from trading.live.upkeep import sweep as live_store


def sweep(*, dry_run: bool = False) -> int:
    """Removes fields that are long dead; how many. Raises Unavailable."""
    return demand(lambda client: live_store.dead(client, projection.fleet(), dry_run=dry_run))
