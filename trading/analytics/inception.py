"""A trader since its beginning, as the live store shows it: from its equity at the ends of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.analytics import ratios
from trading.analytics.returns import DAY_MS, equity_returns
from trading.schema.facts import EquityPoint
from trading.schema.live_store.limits import LEADERBOARD_MIN_TRADES
from trading.schema.live_store.values import Analytics, Leader, SinceInception


@dataclass(frozen=True, slots=True)
class Equity:
    """In USD. Ratios are None where they are undefined."""

    first_ms: int
    first: Decimal
    last: Decimal
    max_drawdown_pct: float | None
    sharpe: float | None

    @property
    def return_pct(self) -> float | None:
        return float((self.last / self.first - 1) * 100) if self.first > 0 else None


def equity_of(days: Sequence[Any]) -> Equity:
    """`days` are (first ms, first equity, last equity, deepest fall in % of the peak so far, points), in order."""
    (first_ms, first, _, _, points), last = days[0], days[-1][2]
    falls = [float(fall) for _, _, _, fall, _ in days if fall is not None]
    is_alone = len(days) == 1 and points == 1
    ends = [
        EquityPoint("", (ms // DAY_MS + 1) * DAY_MS - 1, end)
        for ms, _, end, _, count in days
        if ms != first_ms or count > 1
    ]
    returns = equity_returns([EquityPoint("", first_ms, first), *ends])
    return Equity(
        first_ms=first_ms,
        first=first,
        last=last,
        max_drawdown_pct=None if is_alone else max(falls, default=None),
        sharpe=ratios.sharpe(returns) if returns else None,
    )


def leader(analytics: Analytics, since: SinceInception, *, retired: bool) -> Leader:
    """On the board: traders that are not retired, have an equity and closed enough trades."""
    is_eligible = not retired and (analytics.trades or 0) >= LEADERBOARD_MIN_TRADES
    return Leader(since.as_of, since.return_pct if is_eligible else None)
