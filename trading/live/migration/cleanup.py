"""Removing what is done with: the old layout after the switch-over, and what is long dead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from trading.live import codec, hashes, inspect, lists, mode, reads, scripts
from trading.live.keys import CONVERSATIONS, KEYS, MARKET_ASSET, RedisType
from trading.live.migration import legacy, legacy_store
from trading.live.outage import Client
from trading.schema.live import US_PER_SECOND

# A batch keeps Redis busy for well under a millisecond; UNLINK frees the memory in a thread of its own.
BATCH = 100


@dataclass
class Removed:
    strings: int = 0
    conversations: int = 0
    persisted: int = 0

    @property
    def total(self) -> int:
        return self.strings + self.conversations


def old_layout(client: Client, *, dry_run: bool) -> Removed:
    """Removes the old keys, gives the lists their names, and takes the time to live off the assets' hashes.

    The caller sees to it that nobody writes or reads the old layout any more.
    """
    removed = Removed()
    for batch in _batches(name for pattern in legacy.PATTERNS for name in legacy_store.names(client, pattern)):
        found = [1] * len(batch) if dry_run else scripts.together(client, [_unlink(name) for name in batch])
        removed.strings += sum(map(int, found))
    for traders in _batches(lists.trader_ids(client)):
        removed.conversations += _strings(client, traders) if dry_run else lists.settle(client, traders)
    for name in inspect.names_of(client, MARKET_ASSET):
        if client.ttl(name) >= 0:
            removed.persisted += 1 if dry_run else int(client.persist(name))
    return removed


def dead(client: Client, traders: Collection[str], *, dry_run: bool) -> int:
    """Removes fields that are older than their key keeps them, fields of unknown traders that are no longer fresh,
    and marks of processes that are gone. How many fields."""
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


def _strings(client: Client, traders: Iterable[str]) -> int:
    types = scripts.together(client, [_type(CONVERSATIONS.named(trader_id)) for trader_id in traders])
    return sum(found == b"string" for found in types)


def _unlink(name: str) -> scripts.Command:
    return lambda pipe: pipe.unlink(name)


def _type(name: str) -> scripts.Command:
    return lambda pipe: pipe.type(name)


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch
