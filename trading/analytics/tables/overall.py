"""overall_trades_overview_table: size, holding and plan of the trades."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading.analytics.stats import Table, mean, median, percent, stdev
from trading.analytics.tables.breakdown import TradeColumns, columns_of
from trading.analytics.tables.signals import leverages
from trading.schema.facts import EquityPoint, SignalFact, TradeFact


class LastEquity:
    """The last equity of each trader before a moment. Made once for all groups of a question: sorting every point for
    every day would take the square of a trader's life."""

    def __init__(self, points: Iterable[EquityPoint]) -> None:
        self._series: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
        for point in points:
            self._series[point.trader_id].append((point.ts_ms, point.equity))
        for series in self._series.values():
            series.sort()

    def at(self, trader_id: str, ts_ms: int) -> Decimal | None:
        series = self._series.get(trader_id, [])
        place = bisect_right(series, ts_ms, key=_moment) - 1
        return series[place][1] if place >= 0 else None


def table(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact] = (),
    equity: Sequence[EquityPoint] | LastEquity = (),
    columns: TradeColumns | None = None,
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
    trades: Sequence[TradeFact], notional: Sequence[float], equity: Sequence[EquityPoint] | LastEquity
) -> list[float]:
    """Notional in percent of the trader's equity, the last one known at the entry."""
    known = equity if isinstance(equity, LastEquity) else LastEquity(equity)
    found = []
    for trade, size in zip(trades, notional, strict=True):
        before = known.at(trade.trader_id, trade.open_ts_ms)
        share = percent(size, before) if before is not None and before > 0 else None
        if share is not None:
            found.append(share)
    return found


def _moment(point: tuple[int, Decimal]) -> int:
    return point[0]
