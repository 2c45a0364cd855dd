"""Numbers, sizes and ages of the stored values, for status and pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trading.live.keys import CONTROL, KEYS, Key, RedisType, beside
from trading.live.redis import board, codec, reads, scan, scripts
from trading.live.redis.outage import Client
from trading.live.upkeep import sharing
from trading.schema.live_store.values import US_PER_SECOND

_LOOK = 200


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The status of one key, or of all lists of conversations together. `bytes` is Redis' own count, `oldest_seconds`
    the age of the oldest value; `foreign` counts entries that are no value of the key, `go_engine` the entries of the
    Go engine among them. `expires_seconds`: another program lets the key expire in this time."""

    name: str
    kind: str
    keys: int
    fields: int
    bytes: int
    encoding: str
    oldest_seconds: float | None
    stale: int
    foreign: int
    go_engine: int = 0
    expires_seconds: float | None = None


def statuses(client: Client) -> Iterator[KeyStatus]:
    """In the order of the keys; missing keys are left out."""
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
    return {
        field.decode(errors="replace"): raw.decode(errors="replace") for field, raw in client.hgetall(CONTROL).items()
    }


def _hash(client: Client, key: Key, name: str) -> KeyStatus:
    ages = []
    foreign = go_engine = 0
    now = reads.now_us()
    for _, raw in client.hscan_iter(name, count=_LOOK):
        as_of = _as_of(raw, key)
        if as_of is None:
            foreign += 1
            go_engine += sharing.is_of_go_engine(raw, key)
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
        go_engine,
        _expires(client, [name]),
    )


def _as_of(raw: bytes, key: Key) -> int | None:
    """The moment of a value. A value in our form is not decoded; one in another form is."""
    try:
        return codec.as_of(raw) or int(codec.decode(raw, key).as_of)
    except codec.NotAValue:
        return None


def _expires(client: Client, names: list[str]) -> float | None:
    """Seconds until the first key is gone; None: none expires."""
    left = [found for found in scripts.together(client, [_pttl(name) for name in names]) if found >= 0]
    return min(left) / 1000 if left else None


def _pttl(name: str) -> scripts.Command:
    return lambda pipe: pipe.pttl(name)


def _board(client: Client, key: Key) -> KeyStatus:
    """A member without a moment is the Go engine's, which says none."""
    now = reads.now_us()
    leaders = board.get_all(client).values()
    dated = [leader for leader in leaders if leader.as_of > board.NO_MOMENT]
    ages = [(now - leader.as_of) / US_PER_SECOND for leader in dated]
    size, encoding = _size(client, key.name)
    size += sum(memory_of(client, [board.NAMES[1]]))
    stale = sum(age > key.allowed_age for age in ages)
    undated, oldest, expires = len(leaders) - len(dated), max(ages, default=None), _expires(client, list(board.NAMES))
    return KeyStatus(key.name, key.kind, 1, len(leaders), size, encoding, oldest, stale, undated, undated, expires)


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
    foreign, expires = len(names) - len(ages), _expires(client, names)
    yield KeyStatus(
        key.name, key.kind, len(names), sum(lengths), size, encoding, oldest, stale, foreign, expires_seconds=expires
    )


def _lindex(name: str) -> scripts.Command:
    return lambda pipe: pipe.lindex(name, 0)


def _llen(name: str) -> scripts.Command:
    return lambda pipe: pipe.llen(name)


def _size(client: Client, name: str) -> tuple[int, str]:
    encoding = client.object("ENCODING", name)
    return sum(memory_of(client, [name])), encoding.decode() if isinstance(encoding, bytes) else str(encoding)


def memory_of(client: Client, names: list[str]) -> list[int]:
    """Bytes of the existing keys."""

    def usage(name: str) -> scripts.Command:
        return lambda pipe: pipe.memory_usage(name, samples=0)

    return [int(found) for found in scripts.together(client, [usage(name) for name in names]) if found]
