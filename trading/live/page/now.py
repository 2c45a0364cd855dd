"""What the fleet holds now, at the prices of now."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.live import queries as projection
from trading.live.keys import POSITIONS, PRICE
from trading.live.page import fresh as live_reads
from trading.live.page.fresh import LiveValue, ValueSource
from trading.live.redis.reads import now_us
from trading.schema.common import Side
from trading.schema.live_store.quotes import PositionMark, PriceBook
from trading.schema.live_store.values import US_PER_SECOND, LivePosition


@dataclass(frozen=True, slots=True)
class HeldNow:
    """An open position. `mark` and `unrealized_pnl` (USD, before fees) are None without a fresh price."""

    trader_id: str
    symbol: str
    position: LivePosition
    seen: LiveValue
    mark: PositionMark | None
    unrealized_pnl: Decimal | None

    @property
    def price(self) -> Decimal | None:
        return self.mark.price if self.mark else None

    @property
    def mark_age_seconds(self) -> float | None:
        """Of a price that is neither the exchange's nor the market provider's."""
        if self.mark is None or not self.mark.is_of_another:
            return None
        return (now_us() - self.mark.as_of) / US_PER_SECOND

    @property
    def is_from_redis(self) -> bool:
        return self.seen.source is ValueSource.REDIS


@dataclass(frozen=True)
class Now:
    """`prices` by the field in Redis, stale ones marked."""

    held: list[HeldNow]
    prices: dict[str, LiveValue]


def now() -> Now:
    """In order of trader and symbol; traders that are not retired."""
    found = live_reads.markets(PRICE)
    owners = projection.providers()
    fresh = {field: one.value for field, one in found.items() if not one.is_stale}
    prices = PriceBook(fresh, projection.known_providers(owners))
    traders = [trader_id for trader_id, is_retired in projection.fleet().items() if not is_retired]
    seen = live_reads.of_traders(POSITIONS, traders)
    held = [
        _held(trader_id, symbol, position, seen[trader_id], prices.mark(symbol, position.exchange, owners[trader_id]))
        for trader_id in sorted(seen)
        for symbol, position in sorted(seen[trader_id].value.positions.items())
    ]
    return Now(held, found)


def _held(trader_id: str, symbol: str, position: LivePosition, seen: LiveValue, mark: PositionMark | None) -> HeldNow:
    gain = None if mark is None else (mark.price - position.entry_price) * position.quantity * Side(position.side).sign
    return HeldNow(trader_id, symbol, position, seen, mark, gain)
