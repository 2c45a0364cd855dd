"""Prices that move while the demo runs. They wander around the sample's last prices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from demo.sample.prices import MARKETS, Market, to_price
from trading.schema.position import PositionRecord

# An Ornstein-Uhlenbeck process: half of a distance is gone after 20 minutes, and the standard deviation is 0.6 %.
_PULL_A_SECOND = math.log(2) / 1200
_DEVIATION = 0.006
_STEP = _DEVIATION * math.sqrt(2 * _PULL_A_SECOND)
# Of the way to a stop or target of an open position, so that the sample's positions stay open.
_NEAREST = 0.8


@dataclass
class PriceWalk:
    """`centres` are prices in USD by symbol; `held` are the open positions whose stops and targets are not reached."""

    centres: Mapping[str, float]
    held: Iterable[PositionRecord] = ()
    rng: Random = field(default_factory=Random)
    _offsets: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bounds = dict.fromkeys(self.centres, (0.0, math.inf))
        for position in self.held:
            plan, centre = position.detail.exit_plan, self.centres.get(position.symbol)
            if plan is not None and centre is not None:
                for price in (plan.sl_price, plan.tp_price):
                    self._keep_from(position.symbol, centre, price)

    def step(self, seconds: float) -> dict[str, Decimal]:
        """{symbol: price}, that many seconds after the step before."""
        return {market.symbol: self._next(market, seconds) for market in MARKETS if market.symbol in self.centres}

    def _next(self, market: Market, seconds: float) -> Decimal:
        before = self._offsets.get(market.symbol, 0.0)
        pulled = before * math.exp(-_PULL_A_SECOND * seconds)
        self._offsets[market.symbol] = offset = pulled + _STEP * math.sqrt(seconds) * self.rng.gauss(0, 1)
        low, high = self._bounds[market.symbol]
        return to_price(market, min(max(self.centres[market.symbol] * math.exp(offset), low), high))

    def _keep_from(self, symbol: str, centre: float, price: Decimal | None) -> None:
        if price is None:
            return
        low, high = self._bounds[symbol]
        bound = centre + _NEAREST * (float(price) - centre)
        self._bounds[symbol] = (max(low, bound), high) if bound < centre else (low, min(high, bound))
