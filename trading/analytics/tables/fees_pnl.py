"""fee_pnl_moves_breakdown_table: what was earned, and what the exchange took of it. All in USD."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.stats import Table, exact_sum, mean, percent, stdev
from trading.analytics.tables.breakdown import TradeColumns, columns_of
from trading.schema.facts import TradeFact


def table(trades: Sequence[TradeFact], columns: TradeColumns | None = None) -> Table:
    """`with_fees` is the sum of net P&L, `without_fees` of gross, each as reported.

    Fees as a share of P&L are None unless the net P&L is positive.
    """
    net = (columns or columns_of(trades)).net
    gross = [float(trade.gross) for trade in trades]
    fees = [float(trade.commission) for trade in trades]
    net_sum = exact_sum(trade.net for trade in trades)
    fee_sum = exact_sum(trade.commission for trade in trades)
    return {
        "avg_gross_pnl": mean(gross),
        "avg_net_pnl": mean(net),
        "avg_taker_fee": mean(fees),
        "biggest_net_gain": max((trade.net for trade in trades), default=None),
        "biggest_net_loss": min((trade.net for trade in trades), default=None),
        "overall_pnl_with_fees": net_sum,
        "overall_pnl_without_fees": exact_sum(trade.gross for trade in trades),
        "std_gross_pnl": stdev(gross),
        "std_net_pnl": stdev(net),
        "std_taker_fee": stdev(fees),
        "total_fees_as_pct_of_pnl": percent(fee_sum, net_sum) if net_sum > 0 else None,
        "total_fees_paid": fee_sum,
    }
