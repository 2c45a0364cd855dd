"""Filling the present layout again as a whole, without a reader seeing it half full.

A hash is built aside, in the slot of its key, and takes the key's place in one script that keeps whatever was written
to the replaced one meanwhile. A build that was killed leaves a key that expires by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from trading.live.keys import CONVERSATIONS, TRADER_HASHES, beside
from trading.live.redis import board, codec, hashes, lists, scan, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import counts
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.values import Value

ABANDONED_SECONDS = 600


@dataclass
class NewFilling:
    """`began` (microseconds) is when the first part was read: younger values were written meanwhile."""

    client: Client
    began: int
    lists_aside: bool
    _token: str = field(default_factory=lambda: uuid4().hex[:8])
    _traders: set[str] = field(default_factory=set)

    def add(self, writes: StoreWrites, trader_ids: Collection[str]) -> None:
        """Adds hashes aside, and lists at once, each whole."""
        self._traders.update(trader_ids)
        for (key, _), values in writes.values.items():
            name = self._aside(key.name)
            for some in _batches(values):
                self.client.hset(name, mapping={field: hashes.encoded(key, v) for field, v in some.items()})
            self.client.expire(name, ABANDONED_SECONDS)
        if writes.leaders:
            asides = [self._aside(name) for name in board.NAMES]
            scripts.RANK.run(self.client, asides, *board.arguments(writes.leaders))
            for name in asides:
                self.client.expire(name, ABANDONED_SECONDS)
        lists.put(self.client, writes.conversations, aside=self.lists_aside)
        scripts.in_one_trip(self.client, lists.drops(writes.silent, writes.as_of, aside=self.lists_aside))

    def take_over(self) -> None:
        for key in TRADER_HASHES:
            kept, _ = scripts.TAKE_OVER_HASH.run(self.client, [key.name, self._aside(key.name)], self.began)
            counts.kept(key.name, kept)
        names = [*board.NAMES, *map(self._aside, board.NAMES)]
        kept, _ = scripts.TAKE_OVER_BOARD.run(self.client, names, self.began)
        counts.kept(board.NAMES[0], kept)
        self._remove_strangers()

    def _aside(self, name: str) -> str:
        # The companion of the board has its braces already.
        return f"{name}:next:{self._token}" if name.startswith("{") else beside(name, f"next:{self._token}")

    def _remove_strangers(self) -> None:
        """Removes lists of traders that the database does not know."""
        for name in scan.names(self.client, CONVERSATIONS.named("*")):
            trader_id = name.removeprefix(CONVERSATIONS.named(""))
            if trader_id in self._traders or self.client.type(name) != b"list":
                continue
            first = self.client.lindex(name, 0) or b""
            if (codec.as_of(first) or 0) < self.began:
                self.client.unlink(name)


def _batches(values: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    items = list(values.items())
    for start in range(0, len(items), hashes.BATCH):
        yield dict(items[start : start + hashes.BATCH])
