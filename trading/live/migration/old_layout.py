"""The old layout, as a layout of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from trading.live.keys import CONVERSATIONS, LEADERBOARD, PRICE, Key
from trading.live.migration import legacy, legacy_store, old_compare
from trading.live.redis import scan, scripts
from trading.live.redis.layout import Footprint, Wanted
from trading.live.redis.outage import Client
from trading.live.redis.writes import StoreWrites
from trading.live.upkeep import inspect
from trading.schema.live_store.answers import Answer, FreshValue, StaleValue
from trading.schema.live_store.values import Conversation, Leader, Value
from trading.schema.live_store.verdicts import Difference


class OldLayout:
    def keeps(self, key: Key) -> bool:
        return key.name in legacy.OF_KEY or key in (CONVERSATIONS, LEADERBOARD)

    def write(self, client: Client, key: Key, values: Mapping[str, Value], part: str) -> frozenset[str]:
        _write(client, {(key, part): values})
        return frozenset()

    def write_all(self, client: Client, writes: StoreWrites) -> None:
        """In several round trips, as the old engine does: the leader and the map of prices are no part of the first."""
        _write(client, writes.values)
        legacy_store.put_leader(client, writes.leaders)
        legacy_store.put_conversations(client, writes.conversations)
        legacy_store.remove(client, writes.gone)

    def read(self, client: Client, key: Key, fields: Collection[str], part: str) -> dict[str, Answer[Any]]:
        return legacy_store.get(client, key, fields)

    def read_all(self, client: Client, key: Key, part: str, wanted: Wanted) -> dict[str, Answer[Any]]:
        return legacy_store.get(client, key, [name for name in legacy_store.fields(client, key) if wanted(name)])

    def read_conversations(self, client: Client, trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
        return legacy_store.get_conversations(client, CONVERSATIONS, trader_ids)

    def read_leaders(self, client: Client) -> dict[str, Leader]:
        """The leader, at most one."""
        return legacy_store.get_leader(client)

    def fill(self, client: Client, began: int) -> OldFilling:
        return OldFilling(client)

    def footprint(self, client: Client) -> Footprint:
        names = [name for pattern in legacy.PATTERNS for name in scan.names(client, pattern)]
        names += [name for name in inspect.names_of(client, CONVERSATIONS) if client.type(name) == b"string"]
        return Footprint(len(names), sum(inspect.memory_of(client, names)))

    def needed(self, writes: StoreWrites) -> Footprint:
        texts = list(legacy_store.texts(writes))
        return Footprint(len(texts), sum(len(name) + len(text) for name, text in texts))

    def compared(self, client: Client, looks: int, pause_seconds: float) -> Iterator[tuple[int, list[Difference]]]:
        return old_compare.with_old(client, looks, pause_seconds)


@dataclass
class OldFilling:
    """Writes in place: values younger than the database's answer stay."""

    client: Client

    def add(self, writes: StoreWrites, trader_ids: Collection[str]) -> None:
        for (key, _), values in writes.values.items():
            legacy_store.renew(self.client, key, values)
        found = legacy_store.get_conversations(self.client, CONVERSATIONS, writes.conversations)
        older = {name: items for name, items in writes.conversations.items() if not _is_newer(found[name], items)}
        legacy_store.put_conversations(self.client, older)

    def take_over(self) -> None:
        """Does nothing: the values are in place already."""


def _is_newer(answer: Answer[Any], items: Sequence[Conversation]) -> bool:
    return isinstance(answer, FreshValue | StaleValue) and answer.value[0].as_of > items[0].as_of


def _write(client: Client, values: Mapping[tuple[Key, str], Mapping[str, Value]]) -> None:
    commands = [command for (key, _), some in values.items() for command in legacy_store.puts(key, some)]
    for result in scripts.together(client, commands):
        if isinstance(result, ResponseError):
            raise result
    for (key, _), some in values.items():
        if key is PRICE:
            legacy_store.put_prices_of_all(client, some)
