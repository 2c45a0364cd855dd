"""A layout: the names, types and texts of the values in Redis."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trading.live.keys import Key
from trading.live.redis.outage import Client
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.answers import Answer
from trading.schema.live_store.values import Leader, Value
from trading.schema.live_store.verdicts import Difference

Wanted = Callable[[str], bool]
"""Whether the field of a trader or symbol is wanted."""


class LayoutFilling(Protocol):
    """A fill of the whole layout, under way."""

    def add(self, writes: StoreWrites, trader_ids: Collection[str]) -> None:
        """A part of the fleet. Raises RedisError."""

    def take_over(self) -> None:
        """Readers see from now on what was added. Raises RedisError."""


class Layout(Protocol):
    """All of it raises RedisError (the callers are under `outage.attempt`), and ResponseError for what is refused.

    `part` is the provider of `nof0:market:asset:{provider}`, `key` one that the layout keeps.
    """

    def keeps(self, key: Key) -> bool:
        """Whether the layout has a place of its own for the values of the key."""

    def write(self, client: Client, key: Key, values: Mapping[str, Value], part: str) -> frozenset[str]:
        """Writes only these fields, in one round trip. Returns those that were dropped as older."""

    def write_all(self, client: Client, writes: StoreWrites) -> None:
        """Writes the values of its keys, leaders, conversations and removals; a refused value does not stop the
        others."""

    def read(self, client: Client, key: Key, fields: Collection[str], part: str) -> dict[str, Answer[Any]]:
        """An answer for each field, in one round trip."""

    def read_all(self, client: Client, key: Key, part: str, wanted: Wanted) -> dict[str, Answer[Any]]:
        """The answers of all existing fields that are wanted."""

    def read_conversations(self, client: Client, trader_ids: Collection[str]) -> dict[str, Answer[Any]]:
        """A tuple of conversations for each trader, newest first, in one round trip."""

    def read_leaders(self, client: Client) -> dict[str, Leader]:
        """Best first."""

    def fill(self, client: Client, began: int) -> LayoutFilling:
        """Begins to fill the layout again as a whole. `began` (microseconds): when its first part was read."""


@dataclass(frozen=True, slots=True)
class Footprint:
    keys: int = 0
    bytes: int = 0


class FormerLayout(Layout, Protocol):
    """A layout that stands beside the present one only until every engine has left it."""

    def footprint(self, client: Client) -> Footprint:
        """The number of its keys, and their size."""

    def needed(self, writes: StoreWrites) -> Footprint:
        """The keys and bytes that these values would take here: their texts and the names of their keys, without what
        the server adds to a key."""

    def compared(self, client: Client, looks: int, pause_seconds: float) -> Iterator[tuple[int, list[Difference]]]:
        """(values compared, differences from the present layout), a kind of value at a time.

        A difference is looked at `looks` more times before it counts, with a pause between.
        """
