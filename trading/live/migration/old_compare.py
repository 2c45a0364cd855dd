"""What stands in both layouts, compared."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from trading.live.migration import legacy, legacy_store
from trading.live.migration.legacy import Old
from trading.live.redis import codec, hashes, scripts
from trading.live.redis.outage import Client
from trading.live.upkeep.compare import words
from trading.schema.live_store.verdicts import Difference

# Holds the second of writing, which differs between two writes of the same.
_MOVING = "updated_at_rfc3339"


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
