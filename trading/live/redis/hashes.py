"""Hashes of the new layout: one field a trader, symbol or `{provider}:{symbol}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from trading.live.keys import Key
from trading.live.redis import codec, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import counts
from trading.schema.live_store.values import Value

# So that no single call keeps Redis, or the reader of the answer, busy for long.
BATCH = 500


def put(client: Client, key: Key, name: str, values: Mapping[str, Value]) -> frozenset[str]:
    """Writes fields. Returns those that were dropped because a newer value is stored. Other fields stay untouched."""
    kept, *older = scripts.PUT.run(client, [name], *put_arguments(key, values))
    counts.kept(name, kept)
    return frozenset(field.decode() for field in older)


def put_arguments(key: Key, values: Mapping[str, Value]) -> list[Any]:
    arguments: list[Any] = []
    for field, value in values.items():
        arguments += field, encoded(key, value)
    return arguments


def encoded(key: Key, value: Value) -> bytes:
    return codec.encode(value, compress_from(key))


def compress_from(key: Key) -> int | None:
    """None where the key or the site's LIVE_STORE_PLAIN says that its values stay plain."""
    plain = plain_keys()
    is_plain = bool(plain) and (key.name in plain or "all" in plain)
    return None if is_plain else key.compress_from


@cache
def plain_keys() -> frozenset[str]:
    """Kept, since a look into the settings takes as long as encoding a value."""
    return frozenset(settings.LIVE_STORE_PLAIN)


def get(client: Client, name: str, fields: Collection[str]) -> dict[str, bytes]:
    """The existing values, undecoded. One round trip."""
    wanted = list(fields)
    found = client.hmget(name, wanted) if wanted else []
    return {field: raw for field, raw in zip(wanted, found, strict=True) if raw is not None}


def get_all(client: Client, name: str) -> dict[str, bytes]:
    """All values, undecoded. One round trip."""
    lengths, whole = scripts.READ_HASH.run(client, [name])
    found, start, pairs = {}, 0, map(int, lengths.split())
    for of_field, of_value in zip(pairs, pairs, strict=True):
        middle = start + of_field
        end = middle + of_value
        found[whole[start:middle].decode(errors="replace")] = whole[middle:end]
        start = end
    return found


def drop(client: Client, name: str, fields: Collection[str], as_of: int) -> int:
    """Removes the fields that are not newer than `as_of` (microseconds)."""
    if not fields:
        return 0
    kept, done = scripts.DROP.run(client, [name], as_of, *fields)
    counts.kept(name, kept)
    return int(done)
