"""The six figures that the arena gives for winners, losers, longs and shorts alike."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.stats import Table, known, mean, stdev
from trading.schema.facts import TradeFact

MINUTE_MS = 60_000


def breakdown(name: str, trades: Sequence[TradeFact]) -> Table:
    """Mean and deviation of holding period (minutes), net P&L (USD) and notional at entry (USD)."""
    holding = holding_mins(trades)
    net = known(trade.net for trade in trades)
    notional = entry_notionals(trades)
    return {
        f"avg_{name}_holding_period": mean(holding),
        f"avg_{name}_net_pnl": mean(net),
        f"avg_{name}_notional": mean(notional),
        f"std_{name}_holding_period": stdev(holding),
        f"std_{name}_net_pnl": stdev(net),
        f"std_{name}_notional": stdev(notional),
    }


def holding_mins(trades: Sequence[TradeFact]) -> list[float]:
    return [trade.holding_ms / MINUTE_MS for trade in trades]


def entry_notionals(trades: Sequence[TradeFact]) -> list[float]:
    """USD, at the entry price."""
    return [float(trade.entry_price) * float(trade.quantity) for trade in trades]
