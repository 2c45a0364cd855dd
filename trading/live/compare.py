"""Values compared with what they should be, in words for people."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from trading.live import codec, hashes, reads, scripts
from trading.live.keys import Key
from trading.live.migration import legacy, legacy_store
from trading.live.migration.legacy import Old
from trading.live.outage import Client
from trading.schema.live import US_PER_SECOND, Value
from trading.schema.live_verify import Difference

MOST_CHARACTERS = 200
# Holds the second of writing, which differs between two writes of the same.
_MOVING = "updated_at_rfc3339"
_encoder = msgspec.json.Encoder(decimal_format="number")


def apart(expected: Value, found: Value) -> tuple[str, str]:
    """The names that differ, with both sides."""
    names = [
        name
        for name in expected.__struct_fields__
        if name != "as_of" and getattr(expected, name) != getattr(found, name)
    ]
    return tuple(  # type: ignore[return-value]
        _cut(", ".join(f"{name}={words(getattr(side, name))}" for name in names)) for side in (expected, found)
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
            differences.append(Difference(name, field, key.value.__name__, str(error)))
            continue
        if age > key.allowed_age:
            differences.append(Difference(name, field, f"at most {key.allowed_age} s old", f"{age:.0f} s old"))
    return len(raw), differences


def with_old(client: Client, looks: int, pause_seconds: float) -> Iterator[tuple[int, list[Difference]]]:
    """What stands in both layouts. What the old one let expire meanwhile is no difference."""
    for old in legacy.STRINGS:
        fields = legacy_store.fields(client, old.key)
        differences = _with_old(client, old, fields)
        for _ in range(looks):
            if not differences:
                break
            time.sleep(pause_seconds)
            differences = _with_old(client, old, [one.field for one in differences])
        yield len(fields), differences


def _with_old(client: Client, old: Old, fields: Sequence[str]) -> list[Difference]:
    texts = scripts.together(client, [_get(old.name(field)) for field in fields])
    new = hashes.get(client, old.key.name, fields)
    differences = []
    for field, text in zip(fields, texts, strict=True):
        if text is None or isinstance(text, Exception):
            continue
        try:
            wanted = legacy.parsed(text)
            found = legacy.parsed(old.text(field, codec.decode(new[field], old.key))) if field in new else None
        except ValueError as error:
            differences.append(Difference(old.key.name, field, old.name(field), str(error)))
            continue
        if not legacy.same(_still(wanted), _still(found)):
            differences.append(Difference(old.key.name, field, f"{old.name(field)} {words(wanted)}", words(found)))
    return differences


def _still(value: Any) -> Any:
    return {name: part for name, part in value.items() if name != _MOVING} if isinstance(value, dict) else value


def _get(name: str) -> scripts.Command:
    return lambda pipe: pipe.get(name)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 3] + "..."
