"""The size of the stored values beside what a former layout would need for the same values. Reads only, and counts no
read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from trading.live.keys import CONVERSATIONS, KEYS, Key, RedisType
from trading.live.redis import board, codec, layouts, scripts
from trading.live.redis.layout import Footprint
from trading.live.redis.outage import Client, demand
from trading.live.redis.writes import StoreWrites
from trading.live.upkeep import inspect

# Values of a key that are compared; a larger key is compared by this part of it.
MOST_COMPARED = 500


@dataclass(frozen=True, slots=True)
class StoreSize:
    """`present` and `former` are of the same values; None: there is no former layout. `compressed` of `values` are
    compressed."""

    present: Footprint
    former: Footprint | None
    values: int
    compressed: int

    @property
    def less_pct(self) -> float | None:
        """By how much the present layout is smaller, in %."""
        if not self.former or not self.former.bytes:
            return None
        return 100 * (1 - self.present.bytes / self.former.bytes)


def compared() -> StoreSize:
    """Raises Unavailable."""
    return demand(_compared)


def _compared(client: Client) -> StoreSize:
    writes, seen = StoreWrites(), _Seen()
    for key in KEYS:
        if key.kind is RedisType.HASH:
            for name in inspect.names_of(client, key):
                _add_hash(client, key, name, writes, seen)
    leaders = board.get_all(client)
    writes.leaders = leaders
    seen.add(sum(inspect.memory_of(client, list(board.NAMES))), len(board.NAMES) if leaders else 0, len(leaders), 0)
    _add_lists(client, writes, seen)
    former = [one.needed(writes) for one in layouts.former()]
    return StoreSize(
        Footprint(seen.keys, round(seen.bytes)), former[0] if former else None, seen.values, seen.compressed
    )


@dataclass
class _Seen:
    bytes: float = 0
    keys: int = 0
    values: int = 0
    compressed: int = 0

    def add(self, size: float, keys: int, values: int, compressed: int) -> None:
        self.bytes, self.keys = self.bytes + size, self.keys + keys
        self.values, self.compressed = self.values + values, self.compressed + compressed


def _add_hash(client: Client, key: Key, name: str, writes: StoreWrites, seen: _Seen) -> None:
    """A key that a former layout shares is left out of both sides, since its values are the same."""
    part = name.removeprefix(key.named("")) if "{" in key.name else ""
    if part:
        return
    raw = dict(islice(client.hscan_iter(name, count=MOST_COMPARED), MOST_COMPARED))
    values = {field.decode(errors="replace"): value for field, one in raw.items() if (value := _decoded(one, key))}
    writes.add(key, values)
    share = len(raw) / max(1, client.hlen(name))
    compressed = sum(one.startswith(codec.COMPRESSED) for one in raw.values())
    seen.add(sum(inspect.memory_of(client, [name])) * share, 1, len(raw), compressed)


def _add_lists(client: Client, writes: StoreWrites, seen: _Seen) -> None:
    names = [name for name in inspect.names_of(client, CONVERSATIONS) if client.type(name) == b"list"][:MOST_COMPARED]
    for name, items in zip(names, scripts.together(client, [_lrange(name) for name in names]), strict=True):
        found = [value for n, one in enumerate(items) if (value := _item(one, codec.as_of(items[0]) if n else None))]
        writes.conversations[name.removeprefix(CONVERSATIONS.named(""))] = found
        seen.values += len(found)
    seen.add(sum(inspect.memory_of(client, names)), len(names), 0, 0)


def _lrange(name: str) -> scripts.Command:
    return lambda pipe: pipe.lrange(name, 0, -1)


def _item(raw: bytes, as_of: int | None) -> Any:
    try:
        return codec.decode_item(raw, CONVERSATIONS, as_of)
    except codec.NotAValue:
        return None


def _decoded(raw: bytes, key: Key) -> Any:
    try:
        return codec.decode(raw, key)
    except codec.NotAValue:
        return None
