"""A market that is made up: prices that move, funding and open interest, the same for the same seed and moment.

Nothing is kept. A price is a sum of waves of noise, slow ones high and fast ones low, so that it looks like a market at
any distance; a manager that starts again finds the prices where they would have been.

Keys of market.yaml: `seed` (0), `symbols` with their prices ("BTC 60000, ETH 3000"), `volatility_pct` of a day (3),
`funding_interval_hours` (1), for which each rate is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from traders.schema.messages import _
from traders.schema.symbols import is_symbol
from trading.manager.protocols import MarketSource, SeenPrice, SymbolContext
from trading.manager.providers import ProviderOptions, funding_interval

BASES = {"BTC": 60_000.0, "ETH": 3000.0, "SOL": 150.0, "BNB": 600.0, "XRP": 0.5, "DOGE": 0.12}
_DAY_SECONDS = 86_400
# Of a wave, in seconds: from five seconds up to sixteen days, each four times as long as the one before it.
_PERIODS = tuple(5.0 * 4**step for step in range(10))
_DIGITS = 6
_OPEN_INTEREST_USD = 500_000_000.0
# Funding of an hour when the price stands still, and for each share that it moved within four hours.
_FUNDING, _FUNDING_PER_MOVE = 0.0000125, 0.002
_MOST_SYMBOLS = 500


@dataclass(frozen=True)
class SimulatedMarket:
    """`bases`: {symbol: the price around which it moves}; `volatility`: what a price moves in a day, as a fraction;
    `funding_hours`: what a rate is of."""

    seed: int = 0
    bases: Mapping[str, float] = field(default_factory=lambda: BASES)
    volatility: float = 0.03
    funding_hours: int = 1

    def prices(self, symbols: Sequence[str], now: datetime) -> dict[str, SeenPrice]:
        return {name: SeenPrice(name, _exact(self._price(name, now)), now) for name in symbols if name in self.bases}

    def context(self, symbols: Sequence[str], now: datetime) -> dict[str, SymbolContext]:
        return {name: self._context(name, now) for name in symbols if name in self.bases}

    def symbols(self, now: datetime) -> list[str]:
        return sorted(self.bases, key=lambda name: (-self._open_interest_usd(name, now), name))

    def _context(self, symbol: str, now: datetime) -> SymbolContext:
        price = self._price(symbol, now)
        changes = {hours: price / self._price(symbol, now - timedelta(hours=hours)) - 1 for hours in (1, 4)}
        return SymbolContext(
            symbol,
            now,
            open_interest=_exact(self._open_interest_usd(symbol, now) / price),
            funding_rate=_exact(self.funding_hours * (_FUNDING + changes[4] * _FUNDING_PER_MOVE), digits=3),
            change_1h=_exact(changes[1], digits=4),
            change_4h=_exact(changes[4], digits=4),
        )

    def _price(self, symbol: str, now: datetime) -> float:
        seconds = now.timestamp()
        # As far as a random walk goes: with the root of the time.
        waves = (math.sqrt(period / _DAY_SECONDS) * _wave(self.seed, symbol, period, seconds) for period in _PERIODS)
        return self.bases[symbol] * math.exp(self.volatility * sum(waves))

    def _open_interest_usd(self, symbol: str, now: datetime) -> float:
        rank = list(self.bases).index(symbol) + 1
        wave = _wave(self.seed, f"{symbol} open interest", 4 * 3600.0, now.timestamp())
        return _OPEN_INTEREST_USD / rank * (1 + 0.1 * wave)


def market(options: ProviderOptions) -> MarketSource:
    """Raises InvalidProvider."""
    return SimulatedMarket(
        seed=options.integer("seed", 0),
        bases=_bases(options),
        volatility=float(options.number("volatility_pct", Decimal(3), least=Decimal(0), most=Decimal(100))) / 100,
        funding_hours=funding_interval(options) // timedelta(hours=1),
    )


def _bases(options: ProviderOptions) -> Mapping[str, float]:
    """Of "BTC 60000, ETH 3000"; a symbol without a price has the one that is known of it, or 100."""
    found: dict[str, float] = {}
    for entry in filter(None, map(str.strip, options.text("symbols", "").split(","))):
        name, _space, price = entry.partition(" ")
        try:
            found[name] = float(Decimal(price.strip())) if price else BASES.get(name, 100.0)
        except ArithmeticError:
            found[name] = 0.0
        if not is_symbol(name) or not 0 < found[name] < 1e12 or len(found) > _MOST_SYMBOLS:
            raise options.wrong(
                "symbols", _('a list such as "BTC 60000, ETH 3000", of at most %(most)s', most=_MOST_SYMBOLS)
            )
    return found or BASES


def _wave(seed: int, symbol: str, period: float, seconds: float) -> float:
    """Between -1 and 1, at random at each multiple of the period and smooth between them."""
    place, part = divmod(seconds / period, 1.0)
    before, after = (_at_random(seed, symbol, period, int(place) + step) for step in (0, 1))
    eased = part * part * (3 - 2 * part)
    return before + (after - before) * eased


@lru_cache(maxsize=100_000)
def _at_random(seed: int, symbol: str, period: float, place: int) -> float:
    digest = hashlib.blake2b(f"{seed}|{symbol}|{period}|{place}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**63 - 1


def _exact(value: float, *, digits: int = _DIGITS) -> Decimal:
    """To so many digits that count, as exchanges quote."""
    return Decimal(f"{value:.{digits}g}")
