"""Equity over time: one series out of what was recorded, or derived from the trades."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

from trading.analytics.flows import since_start
from trading.analytics.intervals import Period
from trading.analytics.stats import EXACT, exact_sum
from trading.schema.facts import EquityPoint, Flow, TradeFact

DERIVED = "derived"
# Where a trader has several series, the first of these is taken; others follow by name.
_PREFERRED = ("engine", "imported")


def derived_equity(trades: Sequence[TradeFact], start_capital: Decimal) -> tuple[EquityPoint, ...]:
    """Start capital at the first entry, then plus the cumulative net P&L at every instant of a close, ascending.

    It moves at closes only: what open positions gained and lost in between is not in it. Points of several traders
    carry the trader id ''. Empty without trades.
    """
    if not trades:
        return ()
    traders = {trade.trader_id for trade in trades}
    trader_id = traders.pop() if len(traders) == 1 else ""
    closes = sorted((trade.close_ts_ms, trade.net) for trade in trades)
    # The start lies before the first close even where that is no later than the entry.
    start_ms = min(min(trade.open_ts_ms for trade in trades), closes[0][0] - 1)
    levels = {start_ms: start_capital}
    equity = start_capital
    with localcontext(EXACT):
        for ts_ms, net in closes:
            equity += net
            levels[ts_ms] = equity
    return tuple(EquityPoint(trader_id, ts_ms, level, DERIVED) for ts_ms, level in levels.items())


def one_series(points: Iterable[EquityPoint], flows: Iterable[Flow] = ()) -> tuple[EquityPoint, ...]:
    """One ascending series: of each trader its preferred source, of several traders the sum.

    A trader counts with its first equity before its first point, and with its last one between points, so that
    joining the fleet is no gain. Each begins with its trader's start.
    """
    moved = list(flows)
    series = [
        since_start(_one_source(own), [flow for flow in moved if flow.trader_id == trader_id])
        for trader_id, own in by_trader(points).items()
    ]
    series = [own for own in series if own]
    if len(series) <= 1:
        return series[0] if series else ()
    names = " + ".join(sorted({own[0].source for own in series}))
    latest = [own[0].equity for own in series]
    total = exact_sum(latest)
    moments = sorted((point.ts_ms, of, point.equity) for of, own in enumerate(series) for point in own)
    summed: dict[int, Decimal] = {}
    with localcontext(EXACT):
        for ts_ms, of, equity in moments:
            total += equity - latest[of]
            latest[of] = equity
            summed[ts_ms] = total
    return tuple(EquityPoint("", ts_ms, equity, names) for ts_ms, equity in summed.items())


def within(series: Sequence[EquityPoint], period: Period) -> tuple[EquityPoint, ...]:
    """The points of an ascending series in the period, after the equity that the period began with."""
    first = bisect_left(series, period.from_ms, key=_moment)
    inside = tuple(series[first : bisect_left(series, period.to_ms, key=_moment)])
    if not first or not inside:
        return inside
    return (replace(series[first - 1], ts_ms=period.from_ms - 1), *inside)


def by_trader(points: Iterable[EquityPoint]) -> dict[str, list[EquityPoint]]:
    found: dict[str, list[EquityPoint]] = defaultdict(list)
    for point in points:
        found[point.trader_id].append(point)
    return {trader_id: found[trader_id] for trader_id in sorted(found)}


def _moment(point: EquityPoint) -> int:
    return point.ts_ms


def _one_source(points: Sequence[EquityPoint]) -> tuple[EquityPoint, ...]:
    source = min({point.source for point in points}, key=_preference)
    own = sorted((point for point in points if point.source == source), key=lambda point: (point.ts_ms, point.equity))
    # Of two points of one moment the greater counts, in whatever order they came.
    return tuple({point.ts_ms: point for point in own}.values())


def _preference(source: str) -> tuple[int, str]:
    return (_PREFERRED.index(source) if source in _PREFERRED else len(_PREFERRED), source)
