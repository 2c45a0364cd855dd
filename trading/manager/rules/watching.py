"""Whether something is to be done for an open position now. It looks and does nothing: `running.watch` acts, on what it
reads again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.manager.protocols import OrderKind
from trading.manager.rules import paper
from trading.manager.rules.liquidation import liquidation_price
from trading.manager.rules.paper import PaperTerms, PriceGap
from trading.schema.common import Side

# A trailing stop is moved in steps of this share of its distance, so that not every tick becomes an event.
TRAILING_STEP = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class WatchedPosition:
    """What a look at an open position needs. Prices are in USD; `funded_ms` is the last moment of funding, or that of
    the entry; `resting` has the trigger price of each order that waits at the exchange."""

    symbol: str
    side: Side
    entry_price: Decimal
    leverage: Decimal
    funded_ms: int
    stop: Decimal | None
    target: Decimal | None
    trailing_stop_pct: Decimal | None
    resting: Mapping[OrderKind, Decimal | None]


def is_due(held: WatchedPosition, price: Decimal, terms: PaperTerms, now: datetime, interval: timedelta) -> bool:
    """Whether an exit is triggered, funding is due, an order of the plan is missing or elsewhere, or the trailing stop
    moves. `price` is not stale."""
    if (held.resting.get(OrderKind.STOP), held.resting.get(OrderKind.TARGET)) != (held.stop, held.target):
        return True
    gap = PriceGap(price)
    liquidation = liquidation_price(held.side, held.entry_price, held.leverage, terms.maintenance_rate)
    if paper.triggered(held.side, gap, stop=held.stop, target=held.target, liquidation=liquidation) is not None:
        return True
    if any(paper.funding_moments(datetime.fromtimestamp(held.funded_ms / 1000, UTC), now, interval)):
        return True
    return held.trailing_stop_pct is not None and trailed(held.side, held.stop, gap, held.trailing_stop_pct) is not None


def trailed(side: Side, stop: Decimal | None, gap: PriceGap, trailing_pct: Decimal) -> Decimal | None:
    """The stop of a plan with a trailing stop, if it moves by a step; None if it stays."""
    moved = paper.trailed_stop(side, stop, gap, trailing_pct)
    step = gap.last * trailing_pct / paper.PERCENT * TRAILING_STEP
    return None if moved is None or (stop is not None and abs(moved - stop) < step) else moved
