"""The present layout: hashes, a ZSet, and a list a trader (keys.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis.exceptions import ResponseError

from trading.live.keys import CONVERSATIONS, Key
from trading.live.redis import board, hashes, lists, reads, scripts
from trading.live.redis.filling import NewFilling
from trading.live.redis.layout import Wanted
from trading.live.redis.outage import Client
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.answers import Answer
from trading.schema.live_store.values import Leader, Value


@dataclass(frozen=True, slots=True)
class NewLayout:
    """`lists_aside`: another layout that is written too owns the names of the lists, so these stand aside."""

    lists_aside: bool = False

    def keeps(self, key: Key) -> bool:
        return True

    def write(self, client: Client, key: Key, values: Mapping[str, Value], part: str) -> frozenset[str]:
        return hashes.put(client, key, key.named(part) if part else key.name, values)

    def write_all(self, client: Client, writes: StoreWrites) -> None:
        calls = list(self._calls(writes))
        refused: ResponseError | None = None
        for (_, names, _), result in zip(calls, scripts.in_one_trip(client, calls), strict=True):
            if isinstance(result, ResponseError):
                refused = refused or result
            else:
                reads.counts.kept(names[0], result[0])
        if refused:
            raise refused

    def _calls(self, writes: StoreWrites) -> Iterator[tuple[scripts.Script, Sequence[str], Sequence[Any]]]:
        for (key, part), values in writes.values.items():
            for some in _batches(values):
                yield scripts.PUT, [key.named(part)], hashes.put_arguments(key, some)
        for leaders in _batches(writes.leaders):
            yield scripts.RANK, board.NAMES, board.arguments(leaders)
        for trader_id, items in writes.conversations.items():
            if items:
                arguments = lists.arguments(items, aside=self.lists_aside)
                yield scripts.REPLACE_LIST, lists.names(trader_id), arguments
        for key, fields in writes.gone.items():
            if fields:
                yield scripts.DROP, [key.name], [writes.as_of, *fields]
        yield from lists.drops(writes.silent, writes.as_of, aside=self.lists_aside)

    def read(self, client: Client, key: Key, fields: Collection[str], part: str) -> dict[str, Answer[Any]]:
        return _answers(key, fields, hashes.get(client, key.named(part), fields))

    def read_all(self, client: Client, key: Key, part: str, wanted: Wanted) -> dict[str, Answer[Any]]:
        raw = hashes.get_all(client, key.named(part))
        return _answers(key, [name for name in raw if wanted(name)], raw)

    def read_conversations(self, client: Client, trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
        raw, now = lists.get(client, trader_ids), reads.now_us()
        return {name: reads.list_answer(CONVERSATIONS, name, raw.get(name), now) for name in trader_ids}

    def read_leaders(self, client: Client) -> dict[str, Leader]:
        return board.get_all(client)

    def fill(self, client: Client, began: int) -> NewFilling:
        return NewFilling(client, began, self.lists_aside)


def _answers(key: Key, fields: Collection[str], raw: Mapping[str, bytes]) -> dict[str, Answer[Any]]:
    now = reads.now_us()
    return {name: reads.answer(key, name, raw.get(name), now) for name in fields}


def _batches(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    items = iter(values.items())
    while some := dict(islice(items, hashes.BATCH)):
        yield some
