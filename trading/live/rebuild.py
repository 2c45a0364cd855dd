"""Filling the whole store again: every layout that the mode writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from trading.live.keys import CONTROL, beside
from trading.live.redis.layout import LayoutFilling
from trading.live.redis.mode import FILLED, ModeState
from trading.live.redis.outage import Client
from trading.live.redis.writes import StoreWrites

LOCK_SECONDS = 60


@dataclass
class StoreBuilder:
    """`began` (microseconds) is when the first part was read: younger values were written meanwhile."""

    client: Client
    state: ModeState
    began: int
    _fillings: list[LayoutFilling] = field(init=False)

    def __post_init__(self) -> None:
        self._fillings = [layout.fill(self.client, self.began) for layout in self.state.layouts]

    def add(self, writes: StoreWrites, trader_ids: Collection[str]) -> None:
        """A part of the fleet."""
        for filling in self._fillings:
            filling.add(writes, trader_ids)

    def take_over(self) -> None:
        """Readers see the new values from now on."""
        for filling in self._fillings:
            filling.take_over()
        self.client.hset(CONTROL, FILLED, self.began)


def try_lock(client: Client) -> bool:
    """Only one process heals at a time; the lock ends by itself."""
    return bool(client.set(beside(CONTROL, "healing"), 1, nx=True, ex=LOCK_SECONDS))


def unlock(client: Client) -> None:
    client.unlink(beside(CONTROL, "healing"))
