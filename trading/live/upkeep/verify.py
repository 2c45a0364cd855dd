"""Compares the live store with the sources of its values: PostgreSQL, the feed's clock, the old layout."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from msgspec import structs

from traders.schema.messages import TranslatableText, _, message_of, verbatim
from trading.live import queries as projection
from trading.live import services as live
from trading.live.keys import CONVERSATIONS, KEYS, LEADERBOARD, TRADER_HASHES, Key, RedisType
from trading.live.redis import board, codec, hashes, layouts, lists, reads
from trading.live.redis.mode import ModeState, follower, stored
from trading.live.redis.outage import Client, demand
from trading.live.services import writes_of
from trading.live.upkeep import compare, inspect, verdicts
from trading.schema.live_store.answers import FreshValue, StaleValue
from trading.schema.live_store.verdicts import Difference, Verdict

# A value that moves while it is compared is compared again.
LOOKS = 5
PAUSE_SECONDS = 0.1
MOST_CHARACTERS = 200
NOTHING = _("nothing")
NO_TRADER = _("no such trader")


def verify(*, postgres: bool = True, old: bool = True) -> Verdict:
    """Compares everything, keeps the result and returns it. Raises Unavailable.

    `postgres`: with the database. `old`: with the former layouts.
    """

    def work(client: Client) -> Verdict:
        verdict = _verdict(client, follower.current(), postgres=postgres, old=old)
        verdicts.keep(client, verdict)
        return verdict

    return demand(work)


def looked() -> Verdict:
    """Compares what PostgreSQL determines, and writes nothing. Raises Unavailable."""
    return demand(lambda client: _verdict(client, stored(client), postgres=True, feed=False, old=False))


def last() -> Verdict | None:
    """Raises Unavailable."""
    return demand(verdicts.last)


def _verdict(client: Client, mode: ModeState, *, postgres: bool, old: bool, feed: bool = True) -> Verdict:
    checked, found = _against_postgres(client) if postgres else (0, [])
    former = [one.compared(client, LOOKS, PAUSE_SECONDS) for one in layouts.former()] if old else []
    for count, differences in chain(_markets(client) if feed else (), *former):
        checked += count
        found += differences
    return Verdict(time.time_ns() // 1_000_000, checked, len(found), tuple(found), mode.revision)


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
    """The differences that remain after a few more looks."""
    for _look in range(LOOKS):
        time.sleep(PAUSE_SECONDS)
        moving = {difference.field for difference in differences}
        _checked, again = _compared(client, projection.project(sorted(moving)))
        still = {(one.key, one.field) for one in again}
        differences = [one for one in differences if (one.key, one.field) in still]
        if not differences:
            break
    return differences


def _compared(client: Client, part: projection.FleetProjection) -> tuple[int, list[Difference]]:
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
    conversations = lists.get(client, part.traders)
    for name in part.traders:
        items = _without_age(
            reads.list_answer(CONVERSATIONS, name, conversations.get(name), reads.now_us()), part.as_of
        )
        wish = expected.conversations.get(name, ())
        if items != wish:
            differences.append(Difference(CONVERSATIONS.named(name), name, _words(wish), _words(items)))
    return checked + 2 * len(part.traders), differences


def _difference(key: Key, field: str, expected: Any, raw: bytes | None) -> Difference | None:
    if raw is None or expected is None:
        same = raw is None and expected is None
        return (
            None
            if same
            else Difference(key.name, field, _words(expected), NOTHING if raw is None else verbatim(_raw(raw)))
        )
    try:
        value = codec.decode(raw, key)
    except codec.NotAValue as error:
        return Difference(key.name, field, _words(expected), message_of(error))
    if structs.replace(value, as_of=expected.as_of) == expected:
        return None
    return Difference(key.name, field, *compare.apart(expected, value))


def _without_age(answer: Any, as_of: int) -> tuple[Any, ...]:
    if isinstance(answer, FreshValue | StaleValue):
        return tuple(structs.replace(item, as_of=as_of) for item in answer.value)
    return ()


def _strangers(client: Client, traders: Collection[str]) -> Iterator[Difference]:
    for key in TRADER_HASHES:
        for name in sorted(field.decode(errors="replace") for field in client.hkeys(key.name)):
            if name not in traders:
                yield Difference(key.name, name, NO_TRADER, _("a value"))
    for name in board.get_all(client):
        if name not in traders:
            yield Difference(LEADERBOARD.name, name, NO_TRADER, _("a score"))


def _markets(client: Client) -> Iterator[tuple[int, list[Difference]]]:
    """Checks values that PostgreSQL does not hold: each must be a value, and young enough."""
    for key in KEYS:
        if key.from_postgres or key.kind is not RedisType.HASH:
            continue
        for name in inspect.names_of(client, key):
            yield compare.aged(client, key, name)


def _words(value: Any) -> TranslatableText:
    return NOTHING if value is None or value == () else verbatim(compare.words(value))


def _raw(raw: bytes) -> str:
    return raw[:MOST_CHARACTERS].decode(errors="replace")
