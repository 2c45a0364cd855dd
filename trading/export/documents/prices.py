"""crypto-prices: the last price of each symbol. Its times are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.export.documents.wire import encode
from trading.schema.live_store.quotes import PriceOf
from trading.schema.live_store.values import US_PER_MS


def price_object(found: PriceOf) -> dict[str, Any]:
    """`provider` says the provider of the price, where that is known."""
    whose = {"provider": found.provider} if found.provider is not None else {}
    price = found.price
    return {"symbol": found.symbol, "price": price.price, "timestamp": price.as_of // US_PER_MS, **whose}


def prices_document(prices: Mapping[str, PriceOf], *, as_of_ms: int) -> bytes:
    return encode({"prices": {name: price_object(found) for name, found in prices.items()}, "serverTime": as_of_ms})
