"""Names of keys by pattern."""

from __future__ import annotations

from collections.abc import Iterator

from trading.live.redis.outage import Client

SCAN_BATCH = 500


def names(client: Client, pattern: str) -> Iterator[str]:
    """The names of all keys that match. Walks the keyspace by SCAN."""
    for name in client.scan_iter(match=pattern, count=SCAN_BATCH):
        yield name.decode(errors="replace")
