"""crypto-prices: the last price of each symbol. Its times are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traders.schema.symbols import SYMBOL_PATTERN
from trading.export.documents.wire import encode
from trading.schema.live_store.values import US_PER_MS, Price


def symbol_prices(quotes: Mapping[str, Price]) -> dict[str, Price]:
    """Of each symbol its price of no particular provider; else the newest of any. `quotes` is by `{symbol}` and
    `{provider}:{symbol}`."""
    found: dict[str, Price] = {}
    for name in sorted(quotes, key=lambda name: quotes[name].as_of):
        _provider, colon, symbol = name.partition(":")
        if colon and SYMBOL_PATTERN.fullmatch(symbol):
            found[symbol] = quotes[name]
    found |= {name: price for name, price in quotes.items() if ":" not in name and SYMBOL_PATTERN.fullmatch(name)}
    return {symbol: found[symbol] for symbol in sorted(found)}


def price_object(symbol: str, price: Decimal, ts_ms: int) -> dict[str, Any]:
    return {"symbol": symbol, "price": price, "timestamp": ts_ms}


def prices_document(prices: Mapping[str, Price], *, as_of_ms: int) -> bytes:
    objects = {name: price_object(name, quote.price, quote.as_of // US_PER_MS) for name, quote in prices.items()}
    return encode({"prices": objects, "serverTime": as_of_ms})
