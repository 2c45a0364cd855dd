"""Reads and writes of the old layout: Strings that expire, one a trader or symbol."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from trading.live.keys import CONVERSATIONS, PRICE, Key
from trading.live.migration import legacy, old_scripts
from trading.live.migration.legacy import OF_KEY, OldKey
from trading.live.redis import lists, scan, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import aged, counts, now_us
from trading.live.redis.scripts import Command
from trading.live.redis.writes import StoreWrites
from trading.schema.contract import TRADER
from trading.schema.live_store.answers import Answer, CorruptValue, FreshValue, MissingValue, StaleValue
from trading.schema.live_store.values import US_PER_MS, Conversation, Leader, Value


def puts(key: Key, values: Mapping[str, Value]) -> list[Command]:
    """The commands that write these values; empty for a key that the old layout does not have."""
    old = OF_KEY.get(key.name)
    return [_put(old, field, value) for field, value in values.items()] if old else []


def _put(old: OldKey, field: str, value: Any) -> Command:
    name, text = old.name(field), _text(old, field, value)
    if not text:
        return lambda pipe: pipe.unlink(name)
    return lambda pipe: pipe.set(name, text, ex=old.seconds)


def remove(client: Client, gone: Mapping[Key, Collection[str]]) -> None:
    """Removes values of traders that have none any more."""
    names = [old.name(field) for key, fields in gone.items() if (old := OF_KEY.get(key.name)) for field in fields]
    scripts.together(client, [partial(_unlink, name) for name in names])


def _unlink(name: str, pipe: Any) -> None:
    pipe.unlink(name)


def renew(client: Client, key: Key, values: Mapping[str, Value]) -> None:
    """Writes values where no younger ones are stored: for values that were read some time ago."""
    old, now = OF_KEY.get(key.name), now_us()
    if old:
        calls = [
            (
                old_scripts.RENEW_OLD,
                [old.name(field)],
                [_text(old, field, value), old.seconds, (now - value.as_of) // US_PER_MS],
            )
            for field, value in values.items()
        ]
        scripts.in_one_trip(client, calls)


def _text(old: OldKey, field: str, value: Any) -> bytes:
    """The text as the old engine writes it: a trader that holds nothing has no key."""
    return b"" if old is legacy.POSITIONS and not value.positions else old.text(field, value)


def texts(writes: StoreWrites) -> Iterator[tuple[str, bytes]]:
    """(key, text) of these values as the old engine would keep them. Keys that it does not have are left out."""
    for (key, _part), values in writes.values.items():
        if old := OF_KEY.get(key.name):
            named = ((old.name(field), _text(old, field, value)) for field, value in values.items())
            yield from ((name, text) for name, text in named if text)
        if key is PRICE:
            prices = {field: price.price for field, price in values.items() if ":" in field}  # type: ignore[attr-defined]
            yield from [(legacy.PRICES_OF_ALL, legacy.text(prices))] if prices else []
    led = [(name, one) for name, one in writes.leaders.items() if one.return_pct is not None]
    for name, one in led[-1:]:
        yield legacy.LEADER, legacy.leader(name, one.return_pct or 0.0, one.as_of)
    for name, items in writes.conversations.items():
        yield CONVERSATIONS.named(name), legacy.text(legacy.conversation_ids(items))


def put_prices_of_all(client: Client, prices: Mapping[str, Any]) -> None:
    """Merges into the one map of all prices, unlocked, as the old engine does."""
    named = {field: price.price for field, price in prices.items() if ":" in field}
    if not named:
        return
    try:
        merged = legacy.parsed(client.get(legacy.PRICES_OF_ALL) or b"{}")
    except ValueError:
        merged = {}
    client.set(legacy.PRICES_OF_ALL, legacy.text({**merged, **named}), ex=legacy.PRICE_SECONDS)


def put_leader(client: Client, leaders: Mapping[str, Leader]) -> None:
    """One object; the last writer wins."""
    for trader_id, leader in leaders.items():
        if leader.return_pct is not None:
            written = legacy.leader(trader_id, leader.return_pct, leader.as_of)
            client.set(legacy.LEADER, written, ex=legacy.LEADER_SECONDS)


def put_conversations(client: Client, found: Mapping[str, Sequence[Conversation]]) -> None:
    calls = [
        (
            old_scripts.PUT_OLD_LIST,
            lists.names(trader_id),
            (legacy.text(legacy.conversation_ids(items)), legacy.CONVERSATIONS_SECONDS),
        )
        for trader_id, items in found.items()
        if items
    ]
    scripts.in_one_trip(client, calls)


def get(client: Client, key: Key, fields: Collection[str]) -> dict[str, Answer[Any]]:
    """Values with the rest of their time to live, in one round trip."""
    old = OF_KEY[key.name]
    wanted = list(fields)
    commands: list[Command] = []
    for field in wanted:
        commands += _commands(old.name(field))
    found = scripts.together(client, commands)
    now = now_us()
    return {field: _answer(old, field, found[2 * n], found[2 * n + 1], now) for n, field in enumerate(wanted)}


def _commands(name: str) -> tuple[Command, Command]:
    return (lambda pipe: pipe.get(name)), (lambda pipe: pipe.pttl(name))


def _answer(old: OldKey, field: str, raw: Any, left_ms: Any, now: int) -> Answer[Any]:
    if raw is None:
        return MissingValue()
    try:
        if isinstance(raw, Exception):
            raise ValueError(str(raw))
        value = old.value(raw, old.as_of(left_ms, now))
    except ValueError as error:
        counts.report(old.key, old.name(field), str(error))
        return CorruptValue(str(error))
    return aged(old.key, value, now)


def fields(client: Client, key: Key) -> list[str]:
    """The traders or symbols with a value in the old layout. Walks the keyspace by SCAN."""
    old = OF_KEY[key.name]
    return [old.field(name) for name in scan.names(client, old.prefix + "*")]


def trader_ids(client: Client) -> set[str]:
    """All traders with conversations, in either layout. Walks the keyspace by SCAN."""
    own_start, aside_start = (name.partition("*")[0] for name in lists.names("*"))
    own = {name.decode(errors="replace").removeprefix(own_start) for name in client.scan_iter(match=own_start + "*")}
    aside = {name.decode(errors="replace") for name in client.scan_iter(match=aside_start + "*")}
    return own | {name.removeprefix(aside_start).rpartition("}")[0] for name in aside}


def get_conversations(client: Client, key: Key, trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
    """From the old Strings; where a list has their name, from the list."""
    wanted = list(trader_ids)
    commands: list[Command] = []
    for trader_id in wanted:
        commands += _commands(key.named(trader_id))
    found = scripts.together(client, commands)
    now = now_us()
    answers: dict[str, Answer[Any]] = {}
    for n, trader_id in enumerate(wanted):
        answers[trader_id] = _conversation(key, trader_id, found[2 * n], found[2 * n + 1], now)
    return answers


def _conversation(key: Key, trader_id: str, raw: Any, left_ms: Any, now: int) -> Answer[Any]:
    if raw is None or isinstance(raw, Exception):
        return MissingValue()
    as_of = now - max(0, legacy.CONVERSATIONS_SECONDS * 1000 - max(0, left_ms)) * 1000
    try:
        items = legacy.conversations(raw, as_of)
    except ValueError as error:
        counts.report(key, key.named(trader_id), str(error))
        return CorruptValue(str(error))
    if not items:
        return MissingValue()
    first = aged(key, items[0], now)
    assert isinstance(first, FreshValue | StaleValue)
    return type(first)(items, first.age_seconds)


def get_leader(client: Client) -> dict[str, Leader]:
    raw = client.get(legacy.LEADER)
    try:
        old = legacy.parsed(raw) if raw else None
        return {old[TRADER]: Leader(int(old["updated_at"]) * 1000, float(Decimal(old["score"])))} if old else {}
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return {}
