"""Reads and writes of the live store for the rest of the application: by the mode of the moment, never raising.

`part` is the provider of `nof0:market:asset:{provider}`; the other keys have none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from django.db import Error
from redis.exceptions import ResponseError

from trading.live import queries as projection
from trading.live.keys import CONVERSATIONS, LEADERBOARD, MARKET_CTX, PRICE, Key
from trading.live.redis import layouts, reads
from trading.live.redis.layout import Layout, Wanted
from trading.live.redis.mode import ModeState, follower
from trading.live.redis.outage import Client, outage
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.answers import Answer, MissingValue
from trading.schema.live_store.values import Leader, Value

# Their fields are `{provider}:{symbol}`, or the symbol alone.
OF_PROVIDERS = (PRICE, MARKET_CTX)
T = TypeVar("T")
Read = Callable[[Layout, Collection[str]], dict[str, Answer[Any]]]


def write(key: Key, values: Mapping[str, Value], part: str = "") -> bool:
    """Writes only these fields. False when Redis is away or refuses; an older `as_of` is no failure."""
    return put(key, values, part) is not None


def put(key: Key, values: Mapping[str, Value], part: str = "") -> frozenset[str] | None:
    """As `write`; returns the fields that were dropped because a newer value is stored. None when Redis is away or
    refuses."""
    if not values:
        return frozenset()

    def work(client: Client) -> frozenset[str]:
        older: frozenset[str] = frozenset()
        state = follower.begin()
        try:
            for layout in layouts.keeping(state.mode, key):
                older |= layout.write(client, key, values, part)
        finally:
            follower.end(state)
        return older

    return outage.attempt(work, None, what="write")


def write_all(writes: StoreWrites) -> bool:
    """Writes everything in one round trip to each layout; False if a part of it was refused."""

    def work(client: Client) -> bool:
        refused: list[ResponseError] = []
        with follower.in_use() as state:
            for layout, some in layouts.parts(state.mode, writes):
                try:
                    layout.write_all(client, some)
                except ResponseError as error:
                    refused.append(error)
        if refused:
            raise refused[0]
        return True

    return outage.attempt(work, False, what="write")


def read(key: Key, fields: Collection[str], part: str = "") -> dict[str, Answer[Any]]:
    """An answer for each field, whatever happens. One round trip (two while reads are shared by two layouts)."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        with follower.in_use() as state:
            return _gathered(key, state, fields, lambda layout, some: layout.read(client, key, some, part))

    return _counted(key, fields, _asked(work))


def read_one(key: Key, name: str, part: str = "") -> Answer[Any]:
    return read(key, [name], part)[name]


def read_all(key: Key, part: str = "") -> dict[str, Answer[Any]] | None:
    """The answers of all existing fields; None when Redis does not answer."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        found: dict[str, Answer[Any]] = {}
        with follower.in_use() as state:
            for layout, wanted in _readers(key, state):
                found |= layout.read_all(client, key, part, wanted)
        return found

    found = _asked(work)
    if found is not None:
        reads.counts.add(key, list(found.values()))
    return found


def read_conversations(trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
    """A tuple of conversations for each trader, newest first. One round trip."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        with follower.in_use() as state:
            return _gathered(
                CONVERSATIONS, state, trader_ids, lambda layout, some: layout.read_conversations(client, some)
            )

    return _counted(CONVERSATIONS, trader_ids, _asked(work))


def read_leaderboard() -> dict[str, Answer[Leader]] | None:
    """The leaders, best first. None when Redis does not answer. A layout may know one leader only."""

    def work(client: Client) -> dict[str, Leader]:
        with follower.in_use() as state:
            return _readers(LEADERBOARD, state)[0][0].read_leaders(client)

    leaders = _asked(work)
    if leaders is None:
        return None
    now = reads.now_us()
    found = {name: reads.aged(LEADERBOARD, leader, now) for name, leader in leaders.items()}
    reads.counts.add(LEADERBOARD, list(found.values()))
    return found


def _asked(work: Callable[[Client], T]) -> T | None:
    """None when Redis is away, or this version does not know its mode: a reader has other sources."""
    try:
        return outage.attempt(work, None, what="read")
    except layouts.UnknownMode as error:
        reads.counts.say_once("mode", "The live store is not read: %s", str(error))
        return None


def _readers(key: Key, state: ModeState) -> list[tuple[Layout, Wanted]]:
    """The layouts to read, in order of writing, each with its fields."""
    first, *others = layouts.keeping(state.mode, key)
    if not others or state.read_new_pct >= 100:
        return [(first, _every)]
    last = others[-1]
    if state.read_new_pct <= 0:
        return [(last, _every)]
    providers = _providers() if key in OF_PROVIDERS else frozenset()
    return [
        (first, lambda name: state.reads_new(name, providers)),
        (last, lambda name: not state.reads_new(name, providers)),
    ]


def _providers() -> frozenset[str]:
    """The providers whose names begin a field. While the database is away a field is shared by its whole name."""
    try:
        return projection.provider_names()
    except Error:
        return frozenset()


def _every(name: str) -> bool:
    return True


def _gathered(key: Key, state: ModeState, fields: Collection[str], read: Read) -> dict[str, Answer[Any]]:
    found: dict[str, Answer[Any]] = {}
    for layout, wanted in _readers(key, state):
        some = [name for name in fields if wanted(name)]
        if some:
            found |= read(layout, some)
    return found


def _counted(key: Key, fields: Collection[str], found: dict[str, Answer[Any]] | None) -> dict[str, Answer[Any]]:
    answers: dict[str, Answer[Any]] = (
        found if found is not None else {name: MissingValue(unavailable=True) for name in fields}
    )
    reads.counts.add(key, list(answers.values()))
    return answers
