"""winners_losers_breakdown_table: trades that earned against trades that cost."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.breakdown import breakdown
from trading.analytics.stats import Table, percent
from trading.schema.facts import TradeFact


def winners(trades: Sequence[TradeFact]) -> list[TradeFact]:
    return [trade for trade in trades if trade.net > 0]


def losers(trades: Sequence[TradeFact]) -> list[TradeFact]:
    """A trade whose net P&L is zero is neither."""
    return [trade for trade in trades if trade.net < 0]


def table(trades: Sequence[TradeFact]) -> Table:
    """`win_rate` is in percent of all trades."""
    won = winners(trades)
    return (
        breakdown("winners", won) | breakdown("losers", losers(trades)) | {"win_rate": percent(len(won), len(trades))}
    )
