"""Reads and writes of the live store as everybody else uses them: by the mode of the moment, never raising.

`part` is the provider of `nof0:market:asset:{provider}`; the other keys have none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from redis.exceptions import ResponseError

from trading.live import board, hashes, lists, reads, scripts
from trading.live.keys import CONVERSATIONS, LEADERBOARD, PRICE, Key
from trading.live.migration import legacy_store
from trading.live.migration.legacy import OF_KEY
from trading.live.mode import State, follower
from trading.live.outage import Client, outage
from trading.schema.live import Conversation, Leader, Value
from trading.schema.live_answers import Answer, Missing


@dataclass
class Writes:
    """What belongs together, for one round trip: {key: {trader or symbol: value}}, and what is no hash.

    `gone` and `silent` are traders that had no such value, and no conversation, at `as_of` (microseconds): theirs are
    removed where they are not newer.
    """

    values: dict[tuple[Key, str], dict[str, Value]] = field(default_factory=dict)
    leaders: dict[str, Leader] = field(default_factory=dict)
    conversations: dict[str, Sequence[Conversation]] = field(default_factory=dict)
    as_of: int = 0
    gone: dict[Key, Sequence[str]] = field(default_factory=dict)
    silent: Sequence[str] = ()

    def add(self, key: Key, values: Mapping[str, Value], part: str = "") -> None:
        self.values.setdefault((key, part), {}).update(values)


def write(key: Key, values: Mapping[str, Value], part: str = "") -> bool:
    """Each of these fields, and no other. False when Redis is away or refuses; an older `as_of` is no failure."""
    if not values:
        return True

    def work(client: Client) -> bool:
        state = follower.begin()
        try:
            if state.writes_new or key.name not in OF_KEY:
                hashes.put(client, key, key.named(part) if part else key.name, values)
            if state.writes_old:
                _write_old(client, {(key, part): values})
        finally:
            follower.end(state)
        return True

    return outage.attempt(work, False, what="write")


def write_all(writes: Writes) -> bool:
    """Everything in one round trip to each layout; False as soon as one part of it was refused."""

    def work(client: Client) -> bool:
        with follower.in_use() as state:
            done = scripts.in_one_trip(client, list(_calls(writes, state)))
            if state.writes_old:
                _write_old(client, writes.values)
                legacy_store.put_leader(client, writes.leaders)
                legacy_store.put_conversations(client, writes.conversations)
                legacy_store.remove(client, writes.gone)
        for result in done:
            if isinstance(result, ResponseError):
                raise result
        return True

    return outage.attempt(work, False, what="write")


def _calls(writes: Writes, state: State) -> Any:
    for (key, part), values in writes.values.items():
        if state.writes_new or key.name not in OF_KEY:
            for some in _batches(values):
                yield scripts.PUT, [key.named(part)], hashes.put_arguments(key, some)
    if not state.writes_new:
        return
    for leaders in _batches(writes.leaders):
        yield scripts.RANK, board.NAMES, board.arguments(leaders)
    for trader_id, items in writes.conversations.items():
        if items:
            aside = state.writes_old
            yield scripts.REPLACE_LIST, lists.names(trader_id), lists.arguments(items, aside=aside)
    for key, fields in writes.gone.items():
        if fields:
            yield scripts.DROP, [key.name], [writes.as_of, *fields]
    yield from lists.drops(writes.silent, writes.as_of, old=state.writes_old)


def _write_old(client: Client, values: Mapping[tuple[Key, str], Mapping[str, Value]]) -> None:
    commands = [command for (key, _), some in values.items() for command in legacy_store.puts(key, some)]
    for result in scripts.together(client, commands):
        if isinstance(result, ResponseError):
            raise result
    for (key, _), some in values.items():
        if key is PRICE:
            legacy_store.put_prices_of_all(client, some)


def _batches(values: Mapping[str, Any]) -> Any:
    items = iter(values.items())
    while some := dict(islice(items, hashes.BATCH)):
        yield some


def read(key: Key, fields: Collection[str], part: str = "") -> dict[str, Answer[Any]]:
    """An answer for each field, whatever happens. One round trip (two while a share reads the new layout)."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        with follower.in_use() as state:
            return _by_layout(
                key,
                state,
                fields,
                new=lambda some: _answers(key, some, hashes.get(client, key.named(part), some)),
                old=lambda some: legacy_store.get(client, key, some),
            )

    return _counted(key, fields, outage.attempt(work, None, what="read"))


def read_one(key: Key, name: str, part: str = "") -> Answer[Any]:
    return read(key, [name], part)[name]


def read_all(key: Key, part: str = "") -> dict[str, Answer[Any]] | None:
    """Of every field that is there; None when Redis does not answer."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        with follower.in_use() as state:
            found: dict[str, Answer[Any]] = {}
            if state.read_new_pct or key.name not in OF_KEY:
                raw = hashes.get_all(client, key.named(part))
                found |= {name: one for name, one in _answers(key, raw, raw).items() if _is_new(key, state, name)}
            if state.read_new_pct < 100 and key.name in OF_KEY:
                old = [name for name in legacy_store.fields(client, key) if not _is_new(key, state, name)]
                found |= legacy_store.get(client, key, old)
            return found

    found = outage.attempt(work, None, what="read")
    if found is not None:
        reads.counts.add(key, list(found.values()))
    return found


def read_conversations(trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
    """Of each trader a tuple of conversations, newest first. One round trip."""

    def work(client: Client) -> dict[str, Answer[Any]]:
        def new(some: Collection[str]) -> dict[str, Answer[Any]]:
            raw, now = lists.get(client, some), reads.now_us()
            return {name: reads.list_answer(CONVERSATIONS, name, raw.get(name), now) for name in some}

        with follower.in_use() as state:
            return _by_layout(
                CONVERSATIONS,
                state,
                trader_ids,
                new=new,
                old=lambda some: legacy_store.get_conversations(client, CONVERSATIONS, some),
            )

    return _counted(CONVERSATIONS, trader_ids, outage.attempt(work, None, what="read"))


def read_leaderboard() -> dict[str, Answer[Leader]] | None:
    """Best first. None when Redis does not answer. The old layout knows one leader only."""

    def work(client: Client) -> dict[str, Leader]:
        with follower.in_use() as state:
            return board.get_all(client) if state.read_new_pct else legacy_store.get_leader(client)

    leaders = outage.attempt(work, None, what="read")
    if leaders is None:
        return None
    now = reads.now_us()
    found = {name: reads.aged(LEADERBOARD, leader, now) for name, leader in leaders.items()}
    reads.counts.add(LEADERBOARD, list(found.values()))
    return found


def _by_layout(
    key: Key,
    state: State,
    fields: Collection[str],
    *,
    new: Callable[[Collection[str]], dict[str, Answer[Any]]],
    old: Callable[[Collection[str]], dict[str, Answer[Any]]],
) -> dict[str, Answer[Any]]:
    from_new = [name for name in fields if _is_new(key, state, name)]
    from_old = [name for name in fields if not _is_new(key, state, name)]
    return (new(from_new) if from_new else {}) | (old(from_old) if from_old else {})


def _is_new(key: Key, state: State, name: str) -> bool:
    if key is not CONVERSATIONS and key.name not in OF_KEY:
        return True
    return state.reads_new(name)


def _answers(key: Key, fields: Collection[str], raw: Mapping[str, bytes]) -> dict[str, Answer[Any]]:
    now = reads.now_us()
    return {name: reads.answer(key, name, raw.get(name), now) for name in fields}


def _counted(key: Key, fields: Collection[str], found: dict[str, Answer[Any]] | None) -> dict[str, Answer[Any]]:
    answers: dict[str, Answer[Any]] = (
        found if found is not None else {name: Missing(unavailable=True) for name in fields}
    )
    reads.counts.add(key, list(answers.values()))
    return answers
