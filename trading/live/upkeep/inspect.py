"""What is stored, how large, how old: for status, pages and the curious."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trading.live.keys import CONTROL, KEYS, Key, RedisType, beside
from trading.live.redis import board, codec, reads, scan, scripts
from trading.live.redis.outage import Client
from trading.schema.live_store.values import US_PER_SECOND

_LOOK = 200


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """Of one key, or of all lists of conversations together. `bytes` is Redis' own count, `oldest_seconds` the age of
    the oldest value; `foreign` counts what is no value of the key."""

    name: str
    kind: str
    keys: int
    fields: int
    bytes: int
    encoding: str
    oldest_seconds: float | None
    stale: int
    foreign: int


def statuses(client: Client) -> Iterator[KeyStatus]:
    """In the order of the keys; those that are not there are left out."""
    for key in KEYS:
        if key.kind is RedisType.LIST:
            yield from _lists(client, key)
            continue
        for name in sorted(names_of(client, key)):
            yield _hash(client, key, name) if key.kind is RedisType.HASH else _board(client, key)


def names_of(client: Client, key: Key) -> list[str]:
    """The keys of a pattern, or the key itself where it exists."""
    if key.named("x") == key.name:
        return [key.name] if client.exists(key.name) else []
    found = scan.names(client, key.named("*"))
    # Names with further parts are other keys, such as nof0:market:asset:{provider}:{symbol}.
    return [name for name in found if name.count(":") == key.name.count(":")]


def control(client: Client) -> dict[str, str]:
    return {field.decode(): raw.decode(errors="replace") for field, raw in client.hgetall(CONTROL).items()}


def _hash(client: Client, key: Key, name: str) -> KeyStatus:
    ages = []
    foreign = 0
    now = reads.now_us()
    for _, raw in client.hscan_iter(name, count=_LOOK):
        as_of = codec.as_of(raw)
        if as_of is None:
            foreign += 1
        else:
            ages.append((now - as_of) / US_PER_SECOND)
    return KeyStatus(
        name,
        key.kind,
        1,
        len(ages) + foreign,
        *_size(client, name),
        max(ages, default=None),
        sum(age > key.allowed_age for age in ages),
        foreign,
    )


def _board(client: Client, key: Key) -> KeyStatus:
    now = reads.now_us()
    ages = [(now - leader.as_of) / US_PER_SECOND for leader in board.get_all(client).values()]
    size, encoding = _size(client, key.name)
    size += sum(memory_of(client, [board.NAMES[1]]))
    stale = sum(age > key.allowed_age for age in ages)
    return KeyStatus(key.name, key.kind, 1, len(ages), size, encoding, max(ages, default=None), stale, 0)


def _lists(client: Client, key: Key) -> Iterator[KeyStatus]:
    names = [name for name in names_of(client, key) if client.type(name) == b"list"]
    names += scan.names(client, beside(key.named("*"), "list"))
    if not names:
        return
    firsts = scripts.together(client, [_lindex(name) for name in names])
    lengths = scripts.together(client, [_llen(name) for name in names])
    moments = [codec.as_of(first or b"") for first in firsts]
    now = reads.now_us()
    ages = [(now - moment) / US_PER_SECOND for moment in moments if moment is not None]
    size, (_, encoding) = sum(memory_of(client, names)), _size(client, names[0])
    stale = sum(age > key.allowed_age for age in ages)
    oldest = max(ages, default=None)
    yield KeyStatus(key.name, key.kind, len(names), sum(lengths), size, encoding, oldest, stale, len(names) - len(ages))


def _lindex(name: str) -> scripts.Command:
    return lambda pipe: pipe.lindex(name, 0)


def _llen(name: str) -> scripts.Command:
    return lambda pipe: pipe.llen(name)


def _size(client: Client, name: str) -> tuple[int, str]:
    encoding = client.object("ENCODING", name)
    return sum(memory_of(client, [name])), encoding.decode() if isinstance(encoding, bytes) else str(encoding)


def memory_of(client: Client, names: list[str]) -> list[int]:
    """Bytes of those keys that are there."""

    def usage(name: str) -> scripts.Command:
        return lambda pipe: pipe.memory_usage(name, samples=0)

    return [int(found) for found in scripts.together(client, [usage(name) for name in names]) if found]
