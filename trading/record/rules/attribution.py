"""Which configuration was valid when: how records find the version that opened and closed them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traders.versions.rules.in_force import NamedVersion, version_in_force

US_PER_MS = 1000


@dataclass(frozen=True)
class Timeline:
    """The moments (microseconds since 1970, rising) at which a trader's versions 1, 2, ... became valid, which of them
    say that it is retired, and `pins`: (moment, the version it was held at from then on; None: at none any more)."""

    since_us: tuple[int, ...]
    retired: frozenset[int] = frozenset()
    pins: tuple[tuple[int, int | None], ...] = ()

    def version_at(self, ts_ms: int, decision: NamedVersion | None = None) -> int | None:
        """As `version_in_force`, of a moment in milliseconds."""
        return self.version_at_us(ts_ms * US_PER_MS, decision)

    def version_at_us(self, ts_us: int, decision: NamedVersion | None = None) -> int | None:
        place = bisect_right(self.pins, ts_us, key=_moment)
        pinned = self.pins[place - 1][1] if place else None
        return version_in_force(newest=self._newest_at_us(ts_us), pinned=pinned, decision=decision)

    def had_version(self, version: int, ts_ms: int) -> bool:
        """Whether the version stood by then, in force or not."""
        return 1 <= version <= (self._newest_at_us(ts_ms * US_PER_MS) or 0)

    def is_retired_at(self, ts_ms: int) -> bool:
        """Within this retirement or an earlier one, before it was unretired. A pin ends no retirement."""
        return self._newest_at_us(ts_ms * US_PER_MS) in self.retired

    def has_version(self, version: int) -> bool:
        return 1 <= version <= len(self.since_us)

    def _newest_at_us(self, ts_us: int) -> int | None:
        return bisect_right(self.since_us, ts_us) or None


def _moment(pin: tuple[int, int | None]) -> int:
    return pin[0]


@dataclass(frozen=True)
class Attribution:
    """Versions by the journal where it links an order, else by time.

    `orders` is {(trader_id, order id as text): version} of the decisions whose actions name the order.
    """

    timelines: Mapping[str, Timeline]
    orders: Mapping[tuple[str, str], int | None]

    def version(self, trader_id: str, ts_ms: int, order_ids: Sequence[int | str | None] = ()) -> int | None:
        """None: before the trader's first version."""
        named = (
            NamedVersion(self.orders[trader_id, str(order_id)])
            for order_id in order_ids
            if order_id is not None and (trader_id, str(order_id)) in self.orders
        )
        return self.timelines[trader_id].version_at(ts_ms, next(named, None))
