"""Compares values with the expected ones, in words for people."""

from __future__ import annotations

from typing import Any

import msgspec

from traders.schema.messages import TranslatableText, _, message_of, verbatim
from trading.live.keys import Key
from trading.live.redis import codec, hashes, reads
from trading.live.redis.outage import Client
from trading.schema.live_store.values import US_PER_SECOND, Value
from trading.schema.live_store.verdicts import Difference

MOST_CHARACTERS = 200
_encoder = msgspec.json.Encoder(decimal_format="number")


def apart(expected: Value, found: Value) -> tuple[TranslatableText, TranslatableText]:
    """The names that differ, with both sides."""
    names = [
        name
        for name in expected.__struct_fields__
        if name != "as_of" and getattr(expected, name) != getattr(found, name)
    ]
    return tuple(  # type: ignore[return-value]
        verbatim(_cut(", ".join(f"{name}={words(getattr(side, name))}" for name in names)))
        for side in (expected, found)
    )


def words(value: Any) -> str:
    try:
        return _cut(_encoder.encode(value).decode())
    except (TypeError, msgspec.MsgspecError):
        return _cut(repr(value))


def aged(client: Client, key: Key, name: str) -> tuple[int, list[Difference]]:
    """Fields that are no value, or older than the key allows."""
    differences = []
    now = reads.now_us()
    raw = hashes.get_all(client, name)
    for field, one in raw.items():
        try:
            age = (now - codec.decode(one, key).as_of) / US_PER_SECOND
        except codec.NotAValue as error:
            differences.append(Difference(name, field, verbatim(key.value.__name__), message_of(error)))
            continue
        if age > key.allowed_age:
            oldest = _("at most %(seconds)s s old", seconds=key.allowed_age)
            differences.append(Difference(name, field, oldest, _("%(seconds)s s old", seconds=f"{age:.0f}")))
    return len(raw), differences


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 3] + "..."
