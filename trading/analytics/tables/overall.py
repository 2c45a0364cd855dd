"""overall_trades_overview_table: size, holding and plan of the trades."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading.analytics.stats import Table, mean, median, percent, stdev
from trading.analytics.tables.breakdown import Columns, columns_of
from trading.analytics.tables.signals import leverages
from trading.schema.facts import EquityPoint, SignalFact, TradeFact


def table(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact] = (),
    equity: Sequence[EquityPoint] = (),
    columns: Columns | None = None,
) -> Table:
    """Notional in USD at entry, holding in minutes, distances in percent of the entry price.

    `convo_leverage` is what the model asked for when it opened. A trade without stop (target, equity known at its
    entry) is left out of the mean concerned.
    """
    columns = columns or columns_of(trades)
    holding, notional = columns.holding, columns.notional
    asked = leverages(signal for signal in signals if signal.action in ("open_long", "open_short"))
    portfolio = _portfolio_pcts(trades, notional, equity)
    return {
        "avg_convo_leverage": mean(asked),
        "avg_holding_period_mins": mean(holding),
        "avg_size_of_trade_notional": mean(notional),
        "avg_size_of_trade_portfolio_pct": mean(portfolio),
        "avg_stop_loss_distance_pct": mean(_distances((trade.entry_price, trade.stop_loss) for trade in trades)),
        "avg_take_profit_distance_pct": mean(_distances((trade.entry_price, trade.take_profit) for trade in trades)),
        "median_convo_leverage": median(asked),
        "median_holding_period_mins": median(holding),
        "median_size_of_trade_notional": median(notional),
        "std_holding_period_mins": stdev(holding),
        "std_size_of_trade_notional": stdev(notional),
        "std_size_of_trade_portfolio_pct": stdev(portfolio),
        "total_trades": len(trades),
    }


def _distances(pairs: Iterable[tuple[Decimal, Decimal | None]]) -> list[float]:
    found = (percent(abs(entry - level), entry) for entry, level in pairs if level is not None)
    return [distance for distance in found if distance is not None]


def _portfolio_pcts(
    trades: Sequence[TradeFact], notional: Sequence[float], equity: Sequence[EquityPoint]
) -> list[float]:
    """Notional in percent of the trader's equity, the last one known at the entry."""
    series: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
    for point in equity:
        series[point.trader_id].append((point.ts_ms, point.equity))
    for points in series.values():
        points.sort()
    found = []
    for trade, size in zip(trades, notional, strict=True):
        points = series.get(trade.trader_id, [])
        at = bisect_right(points, trade.open_ts_ms, key=lambda point: point[0]) - 1
        share = percent(size, points[at][1]) if at >= 0 and points[at][1] > 0 else None
        if share is not None:
            found.append(share)
    return found
