"""Prices of six symbols per minute: geometric random walks with a common component."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from demo.sample.plan import MS_PER_DAY, MS_PER_MINUTE, SamplePlan

SHARED = 0.6
_MINUTES_A_DAY = MS_PER_DAY // MS_PER_MINUTE


@dataclass(frozen=True)
class Market:
    """`volatility` is the standard deviation of a day's return."""

    symbol: str
    first_price: float
    volatility: float
    price_decimals: int
    quantity_decimals: int
    open_interest: int

    @property
    def is_major(self) -> bool:
        return self.symbol in ("BTC", "ETH")

    @property
    def tick(self) -> Decimal:
        return Decimal(1).scaleb(-self.price_decimals)


MARKETS = (
    Market("BTC", 108_000, 0.022, 1, 5, 31_000),
    Market("ETH", 3_900, 0.031, 2, 4, 540_000),
    Market("SOL", 185, 0.038, 3, 2, 4_300_000),
    Market("BNB", 1_080, 0.027, 2, 3, 210_000),
    Market("DOGE", 0.19, 0.044, 5, 0, 610_000_000),
    Market("XRP", 2.4, 0.036, 4, 0, 96_000_000),
)


@dataclass(frozen=True)
class PricePath:
    """The prices of one symbol. Outside the period the first or last price is used."""

    market: Market
    start_ms: int
    minutes: array[float]

    def at(self, ts_ms: int) -> float:
        return self.minutes[self._index(ts_ms)]

    def price(self, ts_ms: int) -> Decimal:
        """The price with the exchange's decimals."""
        return to_price(self.market, self.at(ts_ms))

    def change(self, ts_ms: int, over_ms: int) -> float:
        """Return over the period as a fraction: 0.01 is 1 %."""
        return self.at(ts_ms) / self.at(ts_ms - over_ms) - 1

    def crossing(self, after_ms: int, until_ms: int, low: float, high: float) -> int | None:
        """The first minute (ms) strictly between the moments at which the price lies outside of the two."""
        for index in range(self._index(after_ms) + 1, self._index(until_ms)):
            if not low < self.minutes[index] < high:
                return self.start_ms + index * MS_PER_MINUTE
        return None

    def _index(self, ts_ms: int) -> int:
        return min(max((ts_ms - self.start_ms) // MS_PER_MINUTE, 0), len(self.minutes) - 1)


def to_price(market: Market, value: float) -> Decimal:
    return max(Decimal(f"{value:.{market.price_decimals}f}"), market.tick)


def price_paths(plan: SamplePlan) -> dict[str, PricePath]:
    """{symbol: its path over the whole period}; about 12 KB a symbol and day."""
    count = plan.days * _MINUTES_A_DAY + 1
    together = array("d", _steps(Random(f"{plan.seed}:market"), count))
    return {market.symbol: PricePath(market, plan.start_ms, _walk(market, plan.seed, together)) for market in MARKETS}


def _walk(market: Market, seed: int, together: Iterable[float]) -> array[float]:
    alone = _steps(Random(f"{seed}:{market.symbol}"), None)
    scale = market.volatility / math.sqrt(_MINUTES_A_DAY)
    own = math.sqrt(1 - SHARED**2)
    logarithm, path = math.log(market.first_price), array("d")
    for common, step in zip(together, alone, strict=False):
        path.append(math.exp(logarithm))
        logarithm += scale * (SHARED * common + own * step) - scale**2 / 2
    return path


def _steps(rng: Random, count: int | None) -> Iterable[float]:
    """Standard normal steps; without a count, an endless stream."""
    gauss = rng.gauss
    while count is None or count > 0:
        yield gauss(0.0, 1.0)
        if count is not None:
            count -= 1
