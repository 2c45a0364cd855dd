"""What a trader holds, at current prices, with the way to its stop and to its target."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.live import queries as projection
from trading.live.keys import PRICE
from trading.live.page import fresh
from trading.live.redis.reads import now_us
from trading.models import OPEN_AND_COUNTED, Position
from trading.record.stored import rows
from trading.schema.common import Side
from trading.schema.live_store.quotes import PositionMark, PriceBook
from trading.schema.live_store.values import US_PER_SECOND
from trading.schema.tolerant import UnreadableLeaf

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class PriceDistance:
    """A stop or a target: `usd` and `pct` (of the mark price) are how far the mark price is from it, below 0 once it is
    beyond; None without a fresh price."""

    price: Decimal
    usd: Decimal | None
    pct: Decimal | None

    @property
    def is_beyond(self) -> bool:
        return self.usd is not None and self.usd <= 0

    @property
    def size_usd(self) -> Decimal | None:
        return None if self.usd is None else abs(self.usd)

    @property
    def size_pct(self) -> Decimal | None:
        return None if self.pct is None else abs(self.pct)


@dataclass(frozen=True, slots=True)
class HeldLine:
    """An open position. `problem` says where the row cannot be read; its figures are None then."""

    row: Any
    mark: PositionMark | None = None
    unrealized: Decimal | None = None
    unrealized_pct: Decimal | None = None
    stop: PriceDistance | None = None
    target: PriceDistance | None = None
    has_live_stop: bool = False
    is_against_control: bool = False
    problem: str = ""

    @property
    def price(self) -> Decimal | None:
        return self.mark.price if self.mark else None

    @property
    def target_price(self) -> Decimal | None:
        return self.target.price if self.target else None

    @property
    def mark_age_seconds(self) -> float | None:
        return (now_us() - self.mark.as_of) / US_PER_SECOND if self.mark else None


@dataclass(frozen=True, slots=True)
class HeldNow:
    """`prices_away`: Redis does not answer, so that no price is fresh. `more` positions are not shown."""

    lines: list[HeldLine]
    prices_away: bool
    more: int = 0

    @property
    def unrealized(self) -> Decimal | None:
        """None where a position has no fresh price."""
        gains = [line.unrealized for line in self.lines if line.unrealized is not None]
        is_whole = len(gains) == len(self.lines) and not self.more
        return sum(gains, Decimal(0)) if is_whole else None


def held_now(trader_id: str) -> HeldNow:
    """PostgreSQL's positions at the prices of Redis. Two statements, and one read of Redis."""
    held = list(Position.objects.filter(OPEN_AND_COUNTED, trader=trader_id).order_by("symbol")[: MOST_SHOWN + 1])
    if not held:
        return HeldNow([], prices_away=False)
    found = fresh.markets(PRICE)
    current = {field: one.value for field, one in found.items() if not one.is_stale}
    owners, providers = projection.valuers([trader_id])
    book = PriceBook(current, providers)
    lines = [_line(row, book, owners.get(trader_id)) for row in held[:MOST_SHOWN]]
    away = not found or all(one.is_exported for one in found.values())
    return HeldNow(lines, away, more=max(0, len(held) - MOST_SHOWN))


def _line(row: Any, book: PriceBook, owner: Any) -> HeldLine:
    try:
        detail = rows.position_detail(row).detail
    except UnreadableLeaf as refused:
        return HeldLine(row, problem=refused.path)
    sign = Side(row.side).sign
    mark = book.mark(row.symbol, detail.exchange.provider, owner)
    moved = (mark.price - detail.entry.price) * sign if mark else None
    plan = detail.exit_plan
    return HeldLine(
        row,
        mark=mark,
        unrealized=None if moved is None else moved * detail.entry.quantity,
        unrealized_pct=None if moved is None else 100 * moved / detail.entry.price,
        stop=_distance(plan.sl_price if plan else None, mark, sign),
        target=_distance(plan.tp_price if plan else None, mark, -sign),
        has_live_stop=bool(detail.orders and detail.orders.sl_oid),
        is_against_control=detail.against_control is not None,
    )


def _distance(price: Decimal | None, mark: PositionMark | None, sign: int) -> PriceDistance | None:
    """`sign` 1: the mark price lies above it as long as it is not reached."""
    if price is None:
        return None
    if mark is None or mark.price <= 0:
        return PriceDistance(price, None, None)
    usd = (mark.price - price) * sign
    return PriceDistance(price, usd, 100 * usd / mark.price)
