"""Prices: live ones, else the last price at which the record says that a symbol was sold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trading.export.directory.manifest import DocumentSource
from trading.live import queries as projection
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.record.stored import prices as record_prices
from trading.schema.live_store.answers import FreshValue, StaleValue
from trading.schema.live_store.quotes import PositionMark, PriceBook, PriceOf, Providers, names_of
from trading.schema.live_store.values import US_PER_MS, Price
from trading.schema.position import PositionRecord


@dataclass(frozen=True)
class Quotes:
    """`prices` are by symbol, each with its moment; `fresh` are the prices that may value a position."""

    prices: Mapping[str, PriceOf]
    fresh: PriceBook
    traders: Mapping[str, Providers]

    @property
    def source(self) -> DocumentSource:
        return DocumentSource.LIVE if self.fresh.all else DocumentSource.REBUILT

    def mark(self, position: PositionRecord) -> PositionMark | None:
        exchange = position.detail.exchange.provider
        return self.fresh.mark(position.symbol, exchange, self.traders.get(position.trader_id))

    def price_now(self, symbol: str) -> Price | None:
        """The fresh price of the symbol."""
        found = self.fresh.by_symbol().get(symbol)
        return found.price if found else None


def read_quotes() -> Quotes:
    answers = store.read_all(PRICE) or {}
    traders = projection.providers()
    providers = names_of(traders)
    known = {name: answer.value for name, answer in answers.items() if isinstance(answer, FreshValue | StaleValue)}
    fresh = {name: answer.value for name, answer in answers.items() if isinstance(answer, FreshValue)}
    recorded = {
        symbol: PriceOf(symbol, None, Price(point.ts_ms * US_PER_MS, point.price), is_general=True)
        for symbol, point in record_prices.last_prices().items()
    }
    live = PriceBook(known, providers).by_symbol()
    newest = {
        symbol: max((one[symbol] for one in (recorded, live) if symbol in one), key=lambda found: found.price.as_of)
        for symbol in sorted(recorded.keys() | live.keys())
    }
    return Quotes(newest, PriceBook(fresh, providers), traders)
