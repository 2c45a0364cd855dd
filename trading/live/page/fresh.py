"""The live data of pages: fresh from Redis, else from PostgreSQL or the last export, with its source."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from trading.export.directory.last_prices import exported_prices
from trading.live import queries as projection
from trading.live import services as live
from trading.live.keys import CONVERSATIONS, PRICE, TRADER_HASHES, Key
from trading.live.redis import store
from trading.schema.live_store.answers import Answer, FreshValue, StaleValue
from trading.schema.live_store.values import US_PER_SECOND, Leader


class ValueSource(StrEnum):
    REDIS = "redis"
    POSTGRESQL = "postgresql"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class LiveValue:
    """A value and its source; `is_stale` only if no source has a newer one."""

    value: Any
    source: ValueSource
    age_seconds: float
    is_stale: bool = False

    @property
    def is_exported(self) -> bool:
        return self.source is ValueSource.EXPORT


def of_traders(key: Key, trader_ids: Collection[str]) -> dict[str, LiveValue]:
    """The values of those traders that have one. Values that are not fresh in Redis are read from PostgreSQL, in one
    query. If PostgreSQL does not answer either, stale values are used and marked."""
    assert key in TRADER_HASHES or key is CONVERSATIONS
    answers = store.read_conversations(trader_ids) if key is CONVERSATIONS else store.read(key, trader_ids)
    return {name: seen for name in trader_ids if (seen := _fresh(answers[name]))} | _lower(
        key, {name: answer for name, answer in answers.items() if not isinstance(answer, FreshValue)}
    )


def markets(key: Key, part: str = "") -> dict[str, LiveValue]:
    """Prices, assets or context from Redis, with stale ones marked: PostgreSQL has none. Without Redis the prices are
    those of the last export, all stale, and the others are empty."""
    found = store.read_all(key, part)
    if found is None:
        return _exported() if key is PRICE else {}
    return {name: seen for name, answer in sorted(found.items()) if (seen := _any(answer))}


def leaderboard() -> list[tuple[str, LiveValue]]:
    """The Leader values, best first."""
    found = store.read_leaderboard()
    if found is not None and (all(isinstance(answer, FreshValue) for answer in found.values()) and found):
        return [(name, seen) for name, answer in found.items() if (seen := _fresh(answer))]
    leaders: dict[str, Leader] = {}
    for some in live.projections():
        leaders |= live.writes_of(some).leaders
    ranked = [(name, leader) for name, leader in leaders.items() if leader.return_pct is not None]
    ranked.sort(key=lambda pair: (-(pair[1].return_pct or 0), pair[0]))
    return [(name, LiveValue(leader, ValueSource.POSTGRESQL, 0.0)) for name, leader in ranked]


def _exported() -> dict[str, LiveValue]:
    return {
        symbol: LiveValue(price, ValueSource.EXPORT, time.time() - price.as_of / US_PER_SECOND, is_stale=True)
        for symbol, price in exported_prices(settings.EXPORT_DIR).items()
    }


def _fresh(answer: Answer[Any]) -> LiveValue | None:
    return LiveValue(answer.value, ValueSource.REDIS, answer.age_seconds) if isinstance(answer, FreshValue) else None


def _any(answer: Answer[Any]) -> LiveValue | None:
    if isinstance(answer, StaleValue):
        return LiveValue(answer.value, ValueSource.REDIS, answer.age_seconds, is_stale=True)
    return _fresh(answer)


def _lower(key: Key, answers: dict[str, Answer[Any]]) -> dict[str, LiveValue]:
    if not answers:
        return {}
    try:
        writes = live.writes_of(projection.project(list(answers)))
    except DatabaseError:
        return {name: seen for name, answer in answers.items() if (seen := _any(answer))}
    values = writes.conversations if key is CONVERSATIONS else writes.values[key, ""]
    return {name: LiveValue(value, ValueSource.POSTGRESQL, 0.0) for name, value in values.items()}
