"""Proves the live store equal to where its values come from: PostgreSQL, the feed's clock, the old layout."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from msgspec import structs

from trading.live import queries as projection
from trading.live import services as live
from trading.live.keys import CONVERSATIONS, KEYS, LEADERBOARD, TRADER_HASHES, Key, RedisType
from trading.live.redis import board, codec, hashes, layouts, lists, reads
from trading.live.redis.mode import follower
from trading.live.redis.outage import Client, demand
from trading.live.services import writes_of
from trading.live.upkeep import compare, inspect, verdicts
from trading.schema.live_store.answers import Fresh, StaleValue
from trading.schema.live_store.verdicts import Difference, Verdict

# A value that moves while it is compared is compared again.
LOOKS = 5
PAUSE_SECONDS = 0.1
MOST_CHARACTERS = 200


def verify(*, postgres: bool = True, old: bool = True) -> Verdict:
    """Compares everything, keeps and returns what was found. Raises Unavailable.

    `postgres`: with the database. `old`: with the former layouts.
    """

    def work(client: Client) -> Verdict:
        checked, found = _against_postgres(client) if postgres else (0, [])
        former = [one.compared(client, LOOKS, PAUSE_SECONDS) for one in layouts.former()] if old else []
        for count, differences in chain(_markets(client), *former):
            checked += count
            found += differences
        verdict = Verdict(time.time_ns() // 1_000_000, checked, len(found), tuple(found), follower.current().revision)
        verdicts.keep(client, verdict)
        return verdict

    return demand(work)


def last() -> Verdict | None:
    """Raises Unavailable."""
    return demand(verdicts.last)


def _against_postgres(client: Client) -> tuple[int, list[Difference]]:
    checked = 0
    found: list[Difference] = []
    traders: set[str] = set()
    for part in live.projections():
        traders.update(part.traders)
        count, differences = _compared(client, part)
        checked += count
        found += _settled(client, differences) if differences else []
    return checked, found + list(_strangers(client, traders))


def _settled(client: Client, differences: list[Difference]) -> list[Difference]:
    """Those that are still there after a few more looks."""
    for _ in range(LOOKS):
        time.sleep(PAUSE_SECONDS)
        moving = {difference.field for difference in differences}
        _, again = _compared(client, projection.project(sorted(moving)))
        still = {(one.key, one.field) for one in again}
        differences = [one for one in differences if (one.key, one.field) in still]
        if not differences:
            break
    return differences


def _compared(client: Client, part: projection.Projection) -> tuple[int, list[Difference]]:
    expected = writes_of(part)
    differences: list[Difference] = []
    checked = 0
    for key in TRADER_HASHES:
        wanted = expected.values[key, ""]
        raw = hashes.get(client, key.name, part.traders)
        checked += len(part.traders)
        differences += [
            one for name in part.traders if (one := _difference(key, name, wanted.get(name), raw.get(name)))
        ]
    found = board.get_all(client)
    for name, leader in expected.leaders.items():
        have = found[name].return_pct if name in found else None
        if have != leader.return_pct:
            differences.append(Difference(LEADERBOARD.name, name, _words(leader.return_pct), _words(have)))
    talks = lists.get(client, part.traders)
    for name in part.traders:
        items = _without_age(reads.list_answer(CONVERSATIONS, name, talks.get(name), reads.now_us()), part.as_of)
        wish = expected.conversations.get(name, ())
        if items != wish:
            differences.append(Difference(CONVERSATIONS.named(name), name, _words(wish), _words(items)))
    return checked + 2 * len(part.traders), differences


def _difference(key: Key, field: str, expected: Any, raw: bytes | None) -> Difference | None:
    if raw is None or expected is None:
        same = raw is None and expected is None
        return None if same else Difference(key.name, field, _words(expected), "nothing" if raw is None else _raw(raw))
    try:
        value = codec.decode(raw, key)
    except codec.NotAValue as error:
        return Difference(key.name, field, _words(expected), str(error))
    if structs.replace(value, as_of=expected.as_of) == expected:
        return None
    return Difference(key.name, field, *compare.apart(expected, value))


def _without_age(answer: Any, as_of: int) -> tuple[Any, ...]:
    if isinstance(answer, Fresh | StaleValue):
        return tuple(structs.replace(item, as_of=as_of) for item in answer.value)
    return ()


def _strangers(client: Client, traders: Collection[str]) -> Iterator[Difference]:
    for key in TRADER_HASHES:
        for name in sorted(field.decode(errors="replace") for field in client.hkeys(key.name)):
            if name not in traders:
                yield Difference(key.name, name, "no such trader", "a value")
    for name in board.get_all(client):
        if name not in traders:
            yield Difference(LEADERBOARD.name, name, "no such trader", "a score")


def _markets(client: Client) -> Iterator[tuple[int, list[Difference]]]:
    """What PostgreSQL does not hold: whether it is a value, and young enough."""
    for key in KEYS:
        if key.from_postgres or key.kind is not RedisType.HASH:
            continue
        for name in inspect.names_of(client, key):
            yield compare.aged(client, key, name)


def _words(value: Any) -> str:
    return "nothing" if value is None or value == () else compare.words(value)


def _raw(raw: bytes) -> str:
    return raw[:MOST_CHARACTERS].decode(errors="replace")
