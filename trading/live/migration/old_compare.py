"""Compares the values that both layouts hold."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from traders.schema.messages import message_of, verbatim
from trading.live.migration import legacy, legacy_store
from trading.live.migration.legacy import NO_MOMENT, OldKey
from trading.live.migration.spelling import ExchangeSpelling
from trading.live.redis import codec, hashes, scripts
from trading.live.redis.outage import Client
from trading.live.upkeep.compare import words
from trading.schema.live_store.verdicts import Difference

# Holds the second of writing, which differs between two writes of the same.
_MOVING = "updated_at_rfc3339"


def with_old(client: Client, looks: int, pause_seconds: float) -> Iterator[tuple[int, list[Difference]]]:
    """Compares the values of both layouts. A value that expired meanwhile in the old one is no difference."""
    spelling = ExchangeSpelling()
    spelling.refresh()
    for old in legacy.STRINGS:
        fields = legacy_store.fields(client, old.key)
        differences = _with_old(client, old, fields, spelling)
        for _ in range(looks):
            if not differences:
                break
            time.sleep(pause_seconds)
            differences = _with_old(client, old, [one.field for one in differences], spelling)
        yield len(fields), differences


def _with_old(client: Client, old: OldKey, fields: Sequence[str], spelling: ExchangeSpelling) -> list[Difference]:
    """Both sides as this program writes the old layout's JSON: nulls, zeros and names that were left out are alike, and
    symbols have the exchange's spelling."""
    texts = scripts.together(client, [_get(old.name(field)) for field in fields])
    new = hashes.get(client, old.key.name, [spelling.field(old, field) for field in fields])
    differences = []
    for field, text in zip(fields, texts, strict=True):
        if text is None or isinstance(text, Exception):
            continue
        try:
            stands = spelling.value(old, field, old.value(text, NO_MOMENT))
            wanted = legacy.parsed(old.text(field, stands))
            raw = new.get(spelling.field(old, field))
            found = legacy.parsed(old.text(field, codec.decode(raw, old.key))) if raw is not None else None
        except ValueError as error:
            differences.append(Difference(old.key.name, field, verbatim(old.name(field)), message_of(error)))
            continue
        if not legacy.same(_still(wanted), _still(found)):
            differences.append(
                Difference(old.key.name, field, verbatim(f"{old.name(field)} {words(wanted)}"), verbatim(words(found)))
            )
    return differences


def _still(value: Any) -> Any:
    return {name: part for name, part in value.items() if name != _MOVING} if isinstance(value, dict) else value


def _get(name: str) -> scripts.Command:
    return lambda pipe: pipe.get(name)
