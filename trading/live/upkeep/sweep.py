"""Removes long dead fields."""

from __future__ import annotations

from collections.abc import Collection

from trading.live.keys import KEYS, RedisType
from trading.live.redis import codec, hashes, mode, reads
from trading.live.redis.outage import Client
from trading.live.upkeep import inspect
from trading.schema.live_store.values import US_PER_SECOND

BATCH = 100


def dead(client: Client, traders: Collection[str], *, dry_run: bool) -> int:
    """Removes fields that are older than their key keeps them, fields of unknown traders that are no longer fresh, and
    marks of processes that are gone. Returns the number of fields."""
    known, now, count = set(traders), reads.now_us(), 0
    for key in KEYS:
        if key.kind is not RedisType.HASH:
            continue
        for name in inspect.names_of(client, key):
            gone = []
            for raw_field, raw in client.hscan_iter(name, count=BATCH):
                field, age = raw_field.decode(errors="replace"), (now - (codec.as_of(raw) or 0)) / US_PER_SECOND
                is_stranger = key.from_postgres and field not in known and age > key.allowed_age
                if age > key.dead_after or is_stranger:
                    gone.append(field)
            count += len(gone) if dry_run else hashes.drop(client, name, gone, now - key.allowed_age * US_PER_SECOND)
    if not dry_run:
        mode.forget_the_gone(client)
    return count
