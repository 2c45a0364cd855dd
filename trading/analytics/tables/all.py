"""The six tables of the arena's analytics document, under the names of the read API."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.intervals import Held, Period
from trading.analytics.stats import Table
from trading.analytics.tables import fees_pnl, invocations, longs_shorts, overall, winners_losers
from trading.analytics.tables import signals as signals_breakdown
from trading.analytics.tables.breakdown import columns_of
from trading.schema.facts import DecisionFact, EquityPoint, SignalFact, TradeFact


def tables(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact] = (),
    decisions: Sequence[DecisionFact] = (),
    equity: Sequence[EquityPoint] | overall.LastEquity = (),
    *,
    held: Sequence[Held] | None = None,
    period: Period | None = None,
) -> dict[str, Table]:
    """Counts are ints, sums of money exact Decimals, the rest floats; None is undefined.

    `held` is what was in the market, by default the trades; add positions that are still open.
    """
    held = trades if held is None else held
    columns = columns_of(trades)
    return {
        "fee_pnl_moves_breakdown_table": fees_pnl.table(trades, columns),
        "winners_losers_breakdown_table": winners_losers.table(trades, columns),
        "signals_breakdown_table": signals_breakdown.table(signals, decisions, held, period),
        "invocation_breakdown_table": invocations.table(decisions),
        "longs_shorts_breakdown_table": longs_shorts.table(trades, columns),
        "overall_trades_overview_table": overall.table(trades, signals, equity, columns),
    }
