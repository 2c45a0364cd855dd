"""`buynhold_btc`: what the start capital would be worth in bitcoin, as if it were one more trader."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading.export.documents.accounts import MINUTE_MS, AccountRow, encoded_row, hourly_marker
from trading.export.documents.wire import seconds
from trading.schema.contract import TRADER
from trading.schema.published import AccountPoint, PricePoint

NAME = "buynhold_btc"
SYMBOL = "BTC"
_CENT = Decimal("0.01")


def benchmark_rows(prices: Sequence[PricePoint], start_capital: Decimal, inception_ms: int) -> list[AccountRow]:
    """Of an ascending series of prices; bought at the first of them. Without `sharpe_ratio`, as the arena has it."""
    if not prices or prices[0].price <= 0:
        return []
    bought = prices[0]
    quantity = start_capital / bought.price
    rows = []
    for price in prices:
        equity = (quantity * price.price).quantize(_CENT)
        point = AccountPoint(NAME, price.ts_ms, equity, Decimal(0), equity - start_capital)
        held = {SYMBOL: _position(quantity, bought, price)} if price is prices[-1] else {}
        rows.append(encoded_row(point, inception_ms, _row(point, start_capital, inception_ms, held)))
    return rows


def with_newest(prices: Sequence[PricePoint], newest: PricePoint, inception_ms: int) -> list[PricePoint]:
    """In place of what is not older, or of the same hour: an hour has one row."""
    marker = hourly_marker(newest.ts_ms, inception_ms)
    return [*(price for price in prices if hourly_marker(price.ts_ms, inception_ms) < marker), newest]


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
