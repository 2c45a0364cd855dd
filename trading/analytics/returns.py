"""Daily returns, by UTC day, days without any event included: a trader's market never closes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from trading.analytics.intervals import Period
from trading.analytics.stats import exact_sum, ratio
from trading.schema.facts import EquityPoint, TradeFact

DAY_MS = 86_400_000


def tells_of_days(series: Sequence[EquityPoint]) -> bool:
    """Whether an ascending series has two points, and one on at least half of its days: a start and an end weeks apart
    would make one jump among days of zero return."""
    days = {point.ts_ms // DAY_MS for point in series}
    return len(series) > 1 and 2 * len(days) > max(days) - min(days)


def equity_returns(series: Sequence[EquityPoint]) -> list[float] | None:
    """equity at the day's end / at the end of the day before - 1, over an ascending series.

    The first point is the base; its own day counts if it has another point. A day without a point keeps the equity.
    None once equity is zero or less: returns on nothing are undefined.
    """
    if any(point.equity <= 0 for point in series):
        return None
    ends = {point.ts_ms // DAY_MS: point.equity for point in series[1:]}
    if not ends:
        return []
    first = series[0].ts_ms // DAY_MS + (0 if series[0].ts_ms // DAY_MS in ends else 1)
    levels = [series[0].equity]
    for day in range(first, max(ends) + 1):
        levels.append(ends.get(day, levels[-1]))
    found = [ratio(after, before) for before, after in pairwise(levels)]
    return None if None in found else [one - 1 for one in found if one is not None]


def pnl_returns(
    trades: Sequence[TradeFact], start_capital: Decimal, period: Period | None = None
) -> list[float] | None:
    """net P&L of the day's closes / start capital, for every day of the period, by default from the first entry to the
    last close. None without capital."""
    if start_capital <= 0:
        return None
    if not trades:
        return []
    closes: dict[int, list[Decimal]] = defaultdict(list)
    for trade in trades:
        closes[trade.close_ts_ms // DAY_MS].append(trade.net)
    period = period or Period(min(trade.open_ts_ms for trade in trades), max(trade.close_ts_ms for trade in trades))
    last = max(-(-period.to_ms // DAY_MS) - 1, *closes)
    days = range(min(period.from_ms // DAY_MS, *closes), last + 1)
    found = [ratio(exact_sum(closes[day]), start_capital) if day in closes else 0.0 for day in days]
    return None if None in found else [one for one in found if one is not None]
