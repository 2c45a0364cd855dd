"""What the fleet holds now, at the prices of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.live import queries as projection
from trading.live.keys import POSITIONS, PRICE
from trading.live.page import fresh as live_reads
from trading.live.page.fresh import LiveValue, ValueSource
from trading.schema.common import Side
from trading.schema.live_store.values import LivePosition


@dataclass(frozen=True, slots=True)
class HeldNow:
    """An open position. `price` and `unrealized_pnl` (USD, before fees) are None without a fresh price."""

    trader_id: str
    symbol: str
    position: LivePosition
    seen: LiveValue
    price: Decimal | None
    unrealized_pnl: Decimal | None

    @property
    def is_from_redis(self) -> bool:
        return self.seen.source is ValueSource.REDIS


@dataclass(frozen=True)
class Now:
    """`prices` by `{symbol}` or `{provider}:{symbol}`, stale ones marked."""

    held: list[HeldNow]
    prices: dict[str, LiveValue]


def now() -> Now:
    """In order of trader and symbol; traders that are not retired."""
    prices = live_reads.markets(PRICE)
    traders = [trader_id for trader_id, is_retired in projection.fleet().items() if not is_retired]
    seen = live_reads.of_traders(POSITIONS, traders)
    held = [
        _held(trader_id, symbol, position, seen[trader_id], prices)
        for trader_id in sorted(seen)
        for symbol, position in sorted(seen[trader_id].value.positions.items())
    ]
    return Now(held, prices)


def _held(
    trader_id: str, symbol: str, position: LivePosition, seen: LiveValue, prices: Mapping[str, LiveValue]
) -> HeldNow:
    quote = prices.get(f"{position.exchange}:{symbol}") or prices.get(symbol)
    price = quote.value.price if quote and not quote.is_stale else None
    gain = None if price is None else (price - position.entry_price) * position.quantity * Side(position.side).sign
    return HeldNow(trader_id, symbol, position, seen, price, gain)
