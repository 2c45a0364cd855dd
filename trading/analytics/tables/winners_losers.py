"""winners_losers_breakdown_table: trades that earned against trades that cost."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.stats import Table, percent
from trading.analytics.tables.breakdown import TradeColumns, breakdown, columns_of
from trading.schema.facts import TradeFact


def table(trades: Sequence[TradeFact], columns: TradeColumns | None = None) -> Table:
    """A trade whose net P&L is zero is neither; `win_rate` is in percent of all trades."""
    columns = columns or columns_of(trades)
    winners = columns.where(net > 0 for net in columns.net)
    losers = columns.where(net < 0 for net in columns.net)
    rate: Table = {"win_rate": percent(len(winners.net), len(trades))}
    return breakdown("winners", winners) | breakdown("losers", losers) | rate
