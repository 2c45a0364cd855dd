"""PriceBook by (provider, symbol), and the one that values a position.

In Redis a price stands under `{provider}:{symbol}` or `{symbol}`, and symbols hold colons themselves
(`BTC/USDT:USDT`): the field is read by the providers that are known, never split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from traders.schema.symbols import folded, is_symbol
from trading.schema.common import UNKNOWN_PROVIDER
from trading.schema.live_store.values import Price


class PriceName(NamedTuple):
    """`provider` None: of no particular one."""

    provider: str | None
    symbol: str

    @property
    def field(self) -> str:
        return self.symbol if self.provider is None else f"{self.provider}:{self.symbol}"


class Providers(NamedTuple):
    """Of a trader: where it trades, and whose market data it reads."""

    exchange: str
    market: str


def names_of(traders: Mapping[str, Providers]) -> frozenset[str]:
    """Every provider of these traders."""
    return frozenset(name for both in traders.values() for name in both)


def read_field(field: str, providers: Collection[str]) -> PriceName:
    """The longest known provider that the field begins with; without one all of it is the symbol."""
    found = [name for name in providers if field.startswith(f"{name}:") and len(field) > len(name) + 1]
    if not found:
        return PriceName(None, field)
    provider = max(found, key=len)
    return PriceName(provider, field[len(provider) + 1 :])


@dataclass(frozen=True, slots=True)
class PriceOf:
    """A price with its symbol and whose it is. `is_general`: it stands under the symbol alone, as the price of no
    particular provider, even if the value names one."""

    symbol: str
    provider: str | None
    price: Price
    is_general: bool


@dataclass(frozen=True, slots=True)
class PositionMark:
    """The price that values a position; `as_of` in microseconds. `is_of_another`: neither of the position's exchange
    nor of the trader's market provider."""

    price: Decimal
    provider: str | None
    as_of: int
    is_of_another: bool


class PriceBook:
    """PriceBook of many symbols and providers, looked up by both."""

    def __init__(self, quotes: Mapping[str, Price], providers: Collection[str]) -> None:
        """`quotes` by the field in Redis. Names that are no symbols are left out."""
        self.all = tuple(_read(quotes, providers))
        self._by_name: dict[str, list[PriceOf]] = {}
        for one in self.all:
            self._by_name.setdefault(folded(one.symbol), []).append(one)

    def by_symbol(self) -> dict[str, PriceOf]:
        """Of each symbol, in order, its price of no particular provider; else the newest of any."""
        found: dict[str, PriceOf] = {}
        for one in sorted(self.all, key=lambda one: (one.is_general, one.price.as_of)):
            found[one.symbol] = one
        return {symbol: found[symbol] for symbol in sorted(found)}

    def mark(self, symbol: str, exchange: str | None, trader: Providers | None) -> PositionMark | None:
        """The price of the position's own exchange, else of the trader's market provider, else of no particular
        provider, else the newest of any other. `exchange` None or "unknown": that of the trader."""
        named = self._by_name.get(folded(symbol), [])
        same = [one for one in named if one.symbol == symbol]
        own = exchange if exchange not in (None, UNKNOWN_PROVIDER) else trader.exchange if trader else None
        for provider in (own, trader.market if trader else None):
            # Within a provider a name that differs in case alone is the same.
            theirs = [one for one in named if provider is not None and one.provider == provider]
            if theirs:
                return _mark(max(theirs, key=lambda one: (one.symbol == symbol, one.price.as_of)), is_of_another=False)
        if not same:
            return None
        return _mark(max(same, key=lambda one: (one.is_general, one.price.as_of)), is_of_another=True)


def _read(quotes: Mapping[str, Price], providers: Collection[str]) -> Iterable[PriceOf]:
    for field, price in quotes.items():
        known = {*providers, price.provider} if price.provider else providers
        name = read_field(field, known)
        if is_symbol(name.symbol):
            yield PriceOf(name.symbol, name.provider or price.provider, price, is_general=name.provider is None)


def _mark(one: PriceOf, *, is_of_another: bool) -> PositionMark:
    return PositionMark(one.price.price, one.provider, one.price.as_of, is_of_another)
