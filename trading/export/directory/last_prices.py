"""The prices of the run that readers see, for callers without better prices."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from trading.export.directory.manifest import file_name
from trading.export.directory.runs import ExportDirectory
from trading.export.documents.names import Document
from trading.schema.live_store.values import US_PER_MS, Price


class _Quote(msgspec.Struct):
    price: Decimal
    timestamp: int


class _Prices(msgspec.Struct):
    prices: dict[str, _Quote]


def exported_prices(root: Path) -> dict[str, Price]:
    """By symbol, each with the moment of the price itself; none where there is no run, or the run cannot be read."""
    run = ExportDirectory(root).current()
    if run is None:
        return {}
    try:
        content = (run.path / file_name(Document.CRYPTO_PRICES)).read_bytes()
        document = msgspec.json.decode(content, type=_Prices)
    except (OSError, msgspec.DecodeError):
        return {}
    return {symbol: Price(quote.timestamp * US_PER_MS, quote.price) for symbol, quote in document.prices.items()}
