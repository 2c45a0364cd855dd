"""Hashes of the new layout: one field a trader, symbol or `{provider}:{symbol}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from trading.live.keys import Key
from trading.live.redis import codec, scripts
from trading.live.redis.outage import Client
from trading.schema.live_store.values import Value

# So that no single call keeps Redis, or the reader of the answer, busy for long.
BATCH = 500


def put(client: Client, key: Key, name: str, values: Mapping[str, Value]) -> frozenset[str]:
    """The fields that were dropped, since a newer value stands there. Other fields stay untouched."""
    return frozenset(field.decode() for field in scripts.PUT.run(client, [name], *put_arguments(key, values)))


def put_arguments(key: Key, values: Mapping[str, Value]) -> list[Any]:
    arguments: list[Any] = []
    for field, value in values.items():
        arguments += field, encoded(key, value)
    return arguments


def encoded(key: Key, value: Value) -> bytes:
    """Plain where the key or the site's LIVE_STORE_PLAIN says so."""
    plain = plain_keys()
    is_plain = bool(plain) and (key.name in plain or "all" in plain)
    return codec.encode(value, None if is_plain else key.compress_from)


@cache
def plain_keys() -> frozenset[str]:
    """Kept, since a look into the settings takes as long as encoding a value."""
    return frozenset(settings.LIVE_STORE_PLAIN)


def get(client: Client, name: str, fields: Collection[str]) -> dict[str, bytes]:
    """Undecoded, those that are there. One round trip."""
    wanted = list(fields)
    found = client.hmget(name, wanted) if wanted else []
    return {field: raw for field, raw in zip(wanted, found, strict=True) if raw is not None}


def get_all(client: Client, name: str) -> dict[str, bytes]:
    return {field.decode(errors="replace"): raw for field, raw in client.hgetall(name).items()}


def drop(client: Client, name: str, fields: Collection[str], as_of: int) -> int:
    """Removes those fields that are not newer than `as_of` (microseconds)."""
    return int(scripts.DROP.run(client, [name], as_of, *fields)) if fields else 0
