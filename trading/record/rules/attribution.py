"""Which configuration was valid when: how records find the version that opened and closed them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

US_PER_MS = 1000


@dataclass(frozen=True)
class Timeline:
    """The moments (microseconds since 1970, rising) at which a trader's versions 1, 2, ... became valid, and which of
    them say that it is retired."""

    since_us: tuple[int, ...]
    retired: frozenset[int] = frozenset()

    def version_at(self, ts_ms: int) -> int | None:
        """The highest version at or before the moment; None before the first one."""
        return self.version_at_us(ts_ms * US_PER_MS)

    def version_at_us(self, ts_us: int) -> int | None:
        return bisect_right(self.since_us, ts_us) or None

    def is_retired_at(self, ts_ms: int) -> bool:
        """Within this retirement or an earlier one, before it was brought back."""
        return self.version_at(ts_ms) in self.retired

    def has_version(self, version: int) -> bool:
        return 1 <= version <= len(self.since_us)


@dataclass(frozen=True)
class Attribution:
    """Versions by the journal where it links an order, else by time.

    `orders` is {(trader_id, order id as text): version} of the decisions whose actions name the order.
    """

    timelines: Mapping[str, Timeline]
    orders: Mapping[tuple[str, str], int | None]

    def version(self, trader_id: str, ts_ms: int, order_ids: Sequence[int | str | None] = ()) -> int | None:
        """None: before the trader's first version."""
        for order_id in order_ids:
            if order_id is not None and (trader_id, str(order_id)) in self.orders:
                return self.orders[trader_id, str(order_id)]
        return self.timelines[trader_id].version_at(ts_ms)
