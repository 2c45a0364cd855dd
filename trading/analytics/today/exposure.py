"""What is held at the prices of now, by underlying: BTC, BTC/USDT:USDT and BTC-PERP are one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics.stats import exact_sum
from trading.schema.common import Side


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    """`mark` in USD, None without a fresh price."""

    underlying: str
    side: Side
    quantity: Decimal
    mark: Decimal | None

    @property
    def notional(self) -> Decimal | None:
        """In USD, a short one below 0."""
        return None if self.mark is None else self.side.sign * self.quantity * self.mark


@dataclass(frozen=True, slots=True)
class Exposure:
    """In USD: `gross` adds up long and short, `net` is long less short; of the `marked` of `held` positions."""

    underlying: str
    gross: Decimal
    net: Decimal
    marked: int
    held: int

    @property
    def long(self) -> Decimal:
        return (self.gross + self.net) / 2

    @property
    def short(self) -> Decimal:
        return (self.gross - self.net) / 2

    @property
    def is_whole(self) -> bool:
        return self.marked == self.held


def exposures(positions: Iterable[MarkedPosition]) -> list[Exposure]:
    """The largest first."""
    by_underlying: dict[str, list[Decimal | None]] = {}
    for one in positions:
        by_underlying.setdefault(one.underlying, []).append(one.notional)
    found = []
    for name, notionals in by_underlying.items():
        known = [amount for amount in notionals if amount is not None]
        found.append(Exposure(name, exact_sum(map(abs, known)), exact_sum(known), len(known), len(notionals)))
    return sorted(found, key=lambda one: (-one.gross, one.underlying))
