"""A market provider as the manager asks it: each price once a second at most, and shown to the live store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from trading.live import services as live
from trading.manager.protocols import MarketSource, SeenPrice, SymbolContext
from trading.schema.live_store.values import US_PER_SECOND, Price

Found = TypeVar("Found")
KEPT = timedelta(seconds=1)
CONTEXT_KEPT = timedelta(seconds=10)
QUOTED_EVERY = timedelta(seconds=5)


class PriceFeed:
    """Shared by all traders of a provider, and by their threads."""

    def __init__(self, provider: str, market: MarketSource, funding_interval: timedelta) -> None:
        self._provider, self._market = provider, market
        self.funding_interval = funding_interval
        self._guard = threading.Lock()
        self._prices: dict[str, tuple[datetime, SeenPrice]] = {}
        self._contexts: dict[str, tuple[datetime, SymbolContext]] = {}
        self._symbols: tuple[datetime, Sequence[str]] | None = None
        self._quoted: datetime | None = None

    def prices(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SeenPrice]:
        with self._guard:
            _refresh(self._prices, symbols, now, KEPT, lambda wanted: self._market.prices(wanted, now))
            found = {name: self._prices[name][1] for name in symbols if name in self._prices}
            self._quote(now)
        return found

    def context(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SymbolContext]:
        with self._guard:
            _refresh(self._contexts, symbols, now, CONTEXT_KEPT, lambda wanted: self._market.context(wanted, now))
            return {name: self._contexts[name][1] for name in symbols if name in self._contexts}

    def symbols(self, now: datetime) -> Sequence[str]:
        with self._guard:
            if self._symbols is None or not _is_young(self._symbols[0], now, CONTEXT_KEPT):
                self._symbols = (now, self._market.symbols(now))
            return self._symbols[1]

    def _quote(self, now: datetime) -> None:
        """A store that is away is filled by the next quotes."""
        if self._quoted is not None and _is_young(self._quoted, now, QUOTED_EVERY):
            return
        self._quoted = now
        live.quoted(
            {
                f"{self._provider}:{name}": Price(
                    as_of=int(price.at.timestamp() * US_PER_SECOND), price=price.price, provider=self._provider
                )
                for name, (_at, price) in self._prices.items()
            }
        )


def _refresh(
    kept: dict[str, tuple[datetime, Found]],
    symbols: Sequence[str],
    now: datetime,
    age: timedelta,
    read: Callable[[Sequence[str]], Mapping[str, Found]],
) -> None:
    """Reads those that are not young enough. One that is not answered any more is forgotten."""
    wanted = [name for name in symbols if name not in kept or not _is_young(kept[name][0], now, age)]
    if wanted:
        found = read(wanted)
        for name in wanted:
            if name in found:
                kept[name] = (now, found[name])
            else:
                kept.pop(name, None)


def _is_young(read_at: datetime, now: datetime, age: timedelta) -> bool:
    """A clock that was set back makes nothing young."""
    return timedelta(0) <= now - read_at < age
