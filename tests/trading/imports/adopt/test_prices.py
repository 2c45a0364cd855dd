"""The earlier engine's prices come as one row a day of a symbol, each price once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.trading.imports.adopt.conftest import Adopt
from tests.trading.imports.adopt.earlier import DAY_MS, HOUR_MS, EarlierDatabase
from trading.models import PriceHistory

pytestmark = pytest.mark.django_db


def tick(number: int, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "provider": "hyperliquid",
        "symbol": "BTC",
        "price": 45000.1 + number,
        "ts_ms": DAY_MS + number * HOUR_MS,
        "volume": 1.5,
        "raw": {"interval": "1h", "open": 44000, "high": 46000.5, "low": 43000, "close": 45000.1 + number},
    }
    return row | changed


def test_a_day_is_one_row_in_order_of_time(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("price_ticks", tick(1), tick(0), tick(1), tick(20), tick(0, volume=None, raw=None))
    report = adopt(legacy)

    first = PriceHistory.objects.get(day=date(2025, 11, 3), interval="1h")
    assert first.moments_ms == [DAY_MS, DAY_MS + HOUR_MS]
    assert (first.prices, first.highs) == ([45000.1, 45001.1], [46000.5, 46000.5])
    assert PriceHistory.objects.get(interval="").volumes == [None]
    assert PriceHistory.objects.count() == 3
    assert (report["price_days"], report["tables"]["price_history"]["inserted"]) == (3, 4)


def test_later_prices_join_their_day(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("price_ticks", tick(0))
    adopt(legacy)
    # The engine removes what is old, and goes on.
    legacy.run("DELETE FROM price_ticks")
    legacy.add("price_ticks", tick(1))
    adopt(legacy)
    again = adopt(legacy)

    assert PriceHistory.objects.get().moments_ms == [DAY_MS, DAY_MS + HOUR_MS]
    assert (again["price_days"], again["tables"]["price_history"]["known"]) == (0, 1)


def test_a_price_without_a_moment_is_refused(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("price_ticks", tick(0, ts_ms=5))

    assert adopt(legacy)["refused"] == 1
