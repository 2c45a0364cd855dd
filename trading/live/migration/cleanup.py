"""Removes the old layout after the switch-over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from trading.live.keys import CONVERSATIONS, MARKET_ASSET
from trading.live.migration import legacy, legacy_store, old_scripts
from trading.live.redis import lists, scan, scripts
from trading.live.redis.outage import Client
from trading.live.upkeep import inspect

# A batch keeps Redis busy for well under a millisecond; UNLINK frees the memory in a thread of its own.
BATCH = 100


@dataclass
class RemovedKeys:
    strings: int = 0
    conversations: int = 0
    persisted: int = 0

    @property
    def total(self) -> int:
        return self.strings + self.conversations


def old_layout(client: Client, *, dry_run: bool) -> RemovedKeys:
    """Removes the old keys, gives the lists their names, and takes the time to live off the assets' hashes.

    The caller ensures that no process writes or reads the old layout any more.
    """
    removed = RemovedKeys()
    for batch in _batches(name for pattern in legacy.PATTERNS for name in scan.names(client, pattern)):
        found = [1] * len(batch) if dry_run else scripts.together(client, [_unlink(name) for name in batch])
        removed.strings += sum(map(int, found))
    for traders in _batches(legacy_store.trader_ids(client)):
        removed.conversations += _strings(client, traders) if dry_run else _settle(client, traders)
    for name in inspect.names_of(client, MARKET_ASSET):
        if client.ttl(name) >= 0:
            removed.persisted += 1 if dry_run else int(client.persist(name))
    return removed


def _settle(client: Client, traders: Iterable[str]) -> int:
    """Removes the old layout's Strings and gives each list its own name. Returns the number of removed Strings."""
    done = scripts.in_one_trip(client, [(old_scripts.SETTLE_LIST, lists.names(trader_id), ()) for trader_id in traders])
    return sum(map(int, done))


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
