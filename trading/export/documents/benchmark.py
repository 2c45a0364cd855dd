"""`buynhold_btc`: what the start capital would be worth in bitcoin, as if it were one more trader."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading.export.documents.accounts import MINUTE_MS, AccountRow, encoded_row, hourly_marker
from trading.export.documents.wire import seconds
from trading.schema.contract import TRADER
from trading.schema.published import AccountPoint, PricePoint, label_of

NAME = "buynhold_btc"
LABEL = label_of(NAME, display_name="Buy and hold BTC")
SYMBOL = "BTC"
_CENT = Decimal("0.01")


def benchmark_rows(
    prices: Sequence[PricePoint], start_capital: Decimal, inception_ms: int, *, stale_ms: int | None = None
) -> list[AccountRow]:
    """Rows of an ascending series of prices; bitcoin is bought at the first price. As the arena's, they have no
    `sharpe_ratio`. `stale_ms`: the last price is not fresh and has this moment."""
    if not prices or prices[0].price <= 0:
        return []
    bought = prices[0]
    quantity = start_capital / bought.price
    rows = []
    for price in prices:
        equity = (quantity * price.price).quantize(_CENT)
        point = AccountPoint(NAME, price.ts_ms, equity, Decimal(0), equity - start_capital)
        is_newest = price is prices[-1]
        held = {SYMBOL: _position(quantity, bought, price) | _mark(stale_ms)} if is_newest else {}
        row = _row(point, start_capital, inception_ms, held) | (LABEL.fields() if is_newest else {})
        rows.append(encoded_row(point, inception_ms, row))
    return rows


def with_newest(prices: Sequence[PricePoint], newest: PricePoint, inception_ms: int) -> list[PricePoint]:
    """The newest row replaces rows that are not older, or of the same hour: an hour has one row."""
    marker = hourly_marker(newest.ts_ms, inception_ms)
    return [*(price for price in prices if hourly_marker(price.ts_ms, inception_ms) < marker), newest]


def carried_on(prices: Sequence[PricePoint], until_ms: int, inception_ms: int) -> list[PricePoint]:
    """Repeats the last price in the hour of a later moment, because no later price is known."""
    if not prices or hourly_marker(until_ms, inception_ms) <= hourly_marker(prices[-1].ts_ms, inception_ms):
        return list(prices)
    return [*prices, PricePoint(until_ms, prices[-1].price)]


def _mark(stale_ms: int | None) -> dict[str, Any]:
    """The fields that mark a price as not fresh, as other positions have them."""
    return {} if stale_ms is None else {"price_is_stale": True, "price_timestamp": stale_ms}


def _row(point: AccountPoint, start: Decimal, inception_ms: int, held: dict[str, Any]) -> dict[str, Any]:
    marker = hourly_marker(point.ts_ms, inception_ms)
    return {
        "id": f"{NAME}_{marker}",
        TRADER: NAME,
        "timestamp": seconds(point.ts_ms),
        "dollar_equity": point.equity,
        "realized_pnl": point.realized,
        "total_unrealized_pnl": point.unrealized,
        "cum_pnl_pct": 100 * (point.equity - start) / start,
        "since_inception_hourly_marker": marker,
        "since_inception_minute_marker": (point.ts_ms - inception_ms) // MINUTE_MS,
        "positions": held,
    }


def _position(quantity: Decimal, bought: PricePoint, now: PricePoint) -> dict[str, Any]:
    quantity = quantity.quantize(Decimal("0.00000001"))
    return {
        "entry_oid": -1,
        "risk_usd": None,
        "confidence": 1,
        "index_col": -1,
        "exit_plan": "N/A",
        "entry_time": seconds(bought.ts_ms),
        "symbol": SYMBOL,
        "entry_price": bought.price,
        "tp_oid": -1,
        "margin": None,
        "wait_for_fill": False,
        "sl_oid": -1,
        "oid": -1,
        "current_price": now.price,
        "closed_pnl": 0,
        "liquidation_price": None,
        "commission": 0,
        "leverage": 1,
        "slippage": 0,
        "quantity": quantity,
        "unrealized_pnl": quantity * (now.price - bought.price),
    }
