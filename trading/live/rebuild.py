"""Filling the whole store anew without anybody seeing it half full.

A hash is built aside, in the slot of its key, and takes the key's place in one script that keeps whatever was written
to the old one meanwhile. A build that was killed leaves a key that expires by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from trading.live import board, codec, hashes, lists, scripts
from trading.live.keys import CONTROL, CONVERSATIONS, TRADER_HASHES, beside
from trading.live.migration import legacy_store
from trading.live.mode import FILLED, State
from trading.live.outage import Client
from trading.live.store import Writes
from trading.schema.live import Conversation, Value
from trading.schema.live_answers import Answer, Fresh, Stale

ABANDONED_SECONDS = 600
LOCK_SECONDS = 60


@dataclass
class Builder:
    """`began` (microseconds) is when the first part was read: what is younger than that is nobody's leftover."""

    client: Client
    state: State
    began: int

    def __post_init__(self) -> None:
        self._token = uuid4().hex[:8]
        self._traders: set[str] = set()

    def add(self, writes: Writes, trader_ids: Collection[str]) -> None:
        """A part of the fleet, aside; lists at once, each whole."""
        self._traders.update(trader_ids)
        if self.state.writes_new:
            self._add_new(writes)
        if self.state.writes_old:
            self._add_old(writes)

    def take_over(self) -> None:
        """From now on readers see what was built."""
        if self.state.writes_new:
            for key in TRADER_HASHES:
                scripts.TAKE_OVER_HASH.run(self.client, [key.name, self._aside(key.name)], self.began)
            names = [*board.NAMES, *map(self._aside, board.NAMES)]
            scripts.TAKE_OVER_BOARD.run(self.client, names, self.began)
            self._remove_strangers()
        self.client.hset(CONTROL, FILLED, self.began)

    def _add_new(self, writes: Writes) -> None:
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
        lists.put(self.client, writes.conversations, aside=self.state.writes_old)
        scripts.in_one_trip(self.client, lists.drops(writes.silent, writes.as_of, old=self.state.writes_old))

    def _add_old(self, writes: Writes) -> None:
        for (key, _), values in writes.values.items():
            legacy_store.renew(self.client, key, values)
        found = legacy_store.get_conversations(self.client, CONVERSATIONS, writes.conversations)
        older = {name: items for name, items in writes.conversations.items() if not _is_newer(found[name], items)}
        legacy_store.put_conversations(self.client, older)

    def _aside(self, name: str) -> str:
        # The companion of the board has its braces already.
        return f"{name}:next:{self._token}" if name.startswith("{") else beside(name, f"next:{self._token}")

    def _remove_strangers(self) -> None:
        """Lists of traders that the database does not know."""
        for name in legacy_store.names(self.client, CONVERSATIONS.named("*")):
            trader_id = name.removeprefix(CONVERSATIONS.named(""))
            if trader_id in self._traders or self.client.type(name) != b"list":
                continue
            first = self.client.lindex(name, 0) or b""
            if (codec.as_of(first) or 0) < self.began:
                self.client.unlink(name)


def _is_newer(answer: Answer[Any], items: Sequence[Conversation]) -> bool:
    return isinstance(answer, Fresh | Stale) and answer.value[0].as_of > items[0].as_of


def try_lock(client: Client) -> bool:
    """Only one process heals at a time; the lock ends by itself."""
    return bool(client.set(beside(CONTROL, "healing"), 1, nx=True, ex=LOCK_SECONDS))


def unlock(client: Client) -> None:
    client.unlink(beside(CONTROL, "healing"))


def _batches(values: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    items = list(values.items())
    for start in range(0, len(items), hashes.BATCH):
        yield dict(items[start : start + hashes.BATCH])
