"""A trader since its beginning, as the live store shows it: from its equity at the ends of days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics import ratios
from trading.analytics.chains import Chain, IndexDay
from trading.analytics.drawdown import max_drawdown
from trading.analytics.flows import INDEX_START, indexed, paid_in, since_start
from trading.analytics.returns import DAY_MS, equity_returns
from trading.schema.facts import EquityPoint, Flow
from trading.schema.live_store.limits import LEADERBOARD_MIN_TRADES
from trading.schema.live_store.values import Analytics, Leader, SinceInception


@dataclass(frozen=True, slots=True)
class Equity:
    """In USD. Ratios are None where they are undefined. `paid_in` are the net transfers since the start."""

    first_ms: int
    first: Decimal
    last: Decimal
    max_drawdown_pct: float | None
    sharpe: float | None
    return_pct: float | None
    paid_in: Decimal = Decimal(0)

    @property
    def gained(self) -> Decimal:
        return self.last - self.first - self.paid_in


@dataclass(frozen=True, slots=True)
class EquityDay:
    """A trader's equity in USD on one day (UTC). `fall_pct` is the deepest fall in % of the highest equity since the
    first day; None if that was never above zero. `points` is the number of recorded points of the day."""

    first_ms: int
    first: Decimal
    last: Decimal
    fall_pct: Decimal | None
    points: int


def equity_of(days: Iterable[EquityDay]) -> Equity:
    """`days` in order of time, at least one."""
    days = list(days)
    start = days[0]
    falls = [float(day.fall_pct) for day in days if day.fall_pct is not None]
    is_alone = len(days) == 1 and start.points == 1
    ends = [
        EquityPoint("", (day.first_ms // DAY_MS + 1) * DAY_MS - 1, day.last)
        for day in days
        if day is not start or day.points > 1
    ]
    returns = equity_returns([EquityPoint("", start.first_ms, start.first), *ends])
    return Equity(
        first_ms=start.first_ms,
        first=start.first,
        last=days[-1].last,
        max_drawdown_pct=None if is_alone else max(falls, default=None),
        sharpe=ratios.sharpe(returns) if returns else None,
        return_pct=float((days[-1].last / start.first - 1) * 100) if start.first > 0 else None,
    )


def equity_with_transfers(points: Sequence[EquityPoint], flows: Sequence[Flow]) -> Equity:
    """Of a trader with transfers: time-weighted, from all its points in order of time, at least one."""
    series = since_start(points, flows)
    found = indexed(series, flows)
    returns, fall, total = equity_returns(found.index), max_drawdown(found.index), found.total_return
    return Equity(
        first_ms=series[0].ts_ms,
        first=series[0].equity,
        last=series[-1].equity,
        max_drawdown_pct=fall.depth_pct if fall else None,
        sharpe=ratios.sharpe(returns) if returns else None,
        return_pct=None if total is None else float(total * 100),
        paid_in=paid_in(flows, series[0].ts_ms, series[-1].ts_ms),
    )


def equity_of_chain(chain: Chain, days: Sequence[IndexDay], last: EquityPoint, flows: Sequence[Flow]) -> Equity:
    """As `equity_with_transfers`, from the index of its days in order of time, at least one."""
    start = chain.start
    ends = [EquityPoint("", day.last_ms, day.index) for day in days if day.last_ms > start.ts_ms]
    returns = equity_returns([EquityPoint("", start.ts_ms, INDEX_START), *ends])
    return Equity(
        first_ms=start.ts_ms,
        first=start.equity,
        last=last.equity,
        max_drawdown_pct=max(day.fall_pct for day in days) if ends else None,
        sharpe=ratios.sharpe(returns) if returns else None,
        return_pct=float(chain.return_pct(last.ts_ms, last.equity)) if ends else None,
        paid_in=paid_in(flows, start.ts_ms, last.ts_ms),
    )


def leader(analytics: Analytics, since: SinceInception, *, retired: bool) -> Leader:
    """On the board: traders that are not retired, have an equity and closed enough trades."""
    is_eligible = not retired and (analytics.trades or 0) >= LEADERBOARD_MIN_TRADES
    return Leader(since.as_of, since.return_pct if is_eligible else None)
