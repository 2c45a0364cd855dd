"""Prices: live ones where there are any, else what the record says a symbol was last sold for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.export.directory.manifest import Source
from trading.export.documents.prices import symbol_prices
from trading.export.queries import fleet as export_fleet
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.schema.live_store.answers import Fresh, Stale
from trading.schema.live_store.values import US_PER_MS, Price


@dataclass(frozen=True)
class Quotes:
    """`prices` by symbol, each with its moment; `marks` are those fresh enough to value a position by."""

    prices: Mapping[str, Price]
    marks: Mapping[str, Decimal]

    @property
    def source(self) -> Source:
        return Source.LIVE if self.marks else Source.REBUILT


def read_quotes() -> Quotes:
    answers = store.read_all(PRICE) or {}
    known = {name: answer.value for name, answer in answers.items() if isinstance(answer, Fresh | Stale)}
    fresh = {name: answer.value for name, answer in answers.items() if isinstance(answer, Fresh)}
    recorded = {
        symbol: Price(point.ts_ms * US_PER_MS, point.price) for symbol, point in export_fleet.last_prices().items()
    }
    live = symbol_prices(known)
    newest = {
        symbol: max((one[symbol] for one in (recorded, live) if symbol in one), key=lambda price: price.as_of)
        for symbol in recorded.keys() | live.keys()
    }
    marks = {symbol: price.price for symbol, price in symbol_prices(fresh).items()}
    return Quotes({symbol: newest[symbol] for symbol in sorted(newest)}, marks)
