"""The open positions of the fleet at current prices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from traders.controls import facts
from trading.analytics.stats import exact_sum
from trading.analytics.today.exposure import Exposure, MarkedPosition, exposures
from trading.live import queries as projection
from trading.live.keys import POSITIONS, PRICE
from trading.live.page import fresh as live_reads
from trading.live.page.fresh import LiveValue, ValueSource
from trading.live.redis.reads import now_us
from trading.record.stored.symbols import underlyings_of
from trading.schema.common import Side
from trading.schema.live_store.quotes import PositionMark, PriceBook, names_of
from trading.schema.live_store.values import US_PER_SECOND, LivePosition


@dataclass(frozen=True, slots=True)
class LivePositionLine:
    """An open position. `mark` and `unrealized_pnl` (USD, before commission) are None without a fresh price."""

    trader_id: str
    symbol: str
    position: LivePosition
    seen: LiveValue
    mark: PositionMark | None
    unrealized_pnl: Decimal | None
    is_retired: bool

    @property
    def price(self) -> Decimal | None:
        return self.mark.price if self.mark else None

    @property
    def mark_age_seconds(self) -> float | None:
        """The provider of the price, if it is neither the exchange nor the market provider; else empty."""
        if self.mark is None or not self.mark.is_of_another:
            return None
        return (now_us() - self.mark.as_of) / US_PER_SECOND

    @property
    def is_from_redis(self) -> bool:
        return self.seen.source is ValueSource.REDIS


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """In USD, of those `marked` of the `held` positions that have a fresh price; `unrealized` None: none has."""

    gross: Decimal
    net: Decimal
    unrealized: Decimal | None
    marked: int
    held: int

    @property
    def is_whole(self) -> bool:
        return self.marked == self.held


@dataclass(frozen=True)
class LiveFleet:
    """`prices` are by field of Redis, with stale ones marked; `holding` are the traders with an open position, by
    PostgreSQL; `on_paper` the paper variants, and `members` the traders of the fleet's money that are not retired."""

    held: list[LivePositionLine]
    prices: dict[str, LiveValue]
    holding: Collection[str]
    on_paper: Collection[str] = ()
    members: Collection[str] = ()

    @property
    def has_held_on_paper(self) -> bool:
        return any(one.trader_id in self.on_paper for one in self.held)

    def totals(self) -> LiveTotals:
        """Of the fleet's money, in USD."""
        own = [one for one in self.held if one.trader_id not in self.on_paper]
        gains = [one.unrealized_pnl for one in own if one.unrealized_pnl is not None]
        found = self.exposures()
        return LiveTotals(
            gross=exact_sum(one.gross for one in found),
            net=exact_sum(one.net for one in found),
            unrealized=exact_sum(gains) if gains or not own else None,
            marked=len(gains),
            held=len(own),
        )

    def exposures(self) -> list[Exposure]:
        """Of the fleet's money: what paper variants hold is left out."""
        held = [one for one in self.held if one.trader_id not in self.on_paper]
        underlyings = underlyings_of({one.symbol for one in held})
        return exposures(
            MarkedPosition(underlyings[one.symbol], Side(one.position.side), one.position.quantity, one.price)
            for one in held
        )


def now() -> LiveFleet:
    """All open positions, in order of trader and symbol; of retired traders until they are flat."""
    found = live_reads.markets(PRICE)
    owners = projection.providers()
    fresh = {field: one.value for field, one in found.items() if not one.is_stale}
    prices = PriceBook(fresh, names_of(owners))
    members, holding = {one.id: one for one in projection.members()}, facts.holding()
    traders = [one.id for one in members.values() if not one.is_retired or one.id in holding]
    seen = live_reads.of_traders(POSITIONS, traders)
    held = [
        _held(
            trader_id,
            symbol,
            position,
            seen[trader_id],
            prices.mark(symbol, position.exchange, owners[trader_id]),
            is_retired=members[trader_id].is_retired,
        )
        for trader_id in sorted(seen)
        for symbol, position in sorted(seen[trader_id].value.positions.items())
    ]
    on_paper = {one.id for one in members.values() if one.is_on_paper}
    own = [one.id for one in members.values() if not one.is_retired and not one.is_on_paper]
    return LiveFleet(held, found, holding, on_paper, own)


def _held(
    trader_id: str,
    symbol: str,
    position: LivePosition,
    seen: LiveValue,
    mark: PositionMark | None,
    *,
    is_retired: bool,
) -> LivePositionLine:
    gain = None if mark is None else (mark.price - position.entry_price) * position.quantity * Side(position.side).sign
    return LivePositionLine(trader_id, symbol, position, seen, mark, gain, is_retired)
