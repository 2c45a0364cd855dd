"""longs_shorts_breakdown_table: trades by side."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.breakdown import breakdown
from trading.analytics.stats import Table, ratio
from trading.schema.facts import TradeFact


def table(trades: Sequence[TradeFact]) -> Table:
    """`long_short_trades_ratio` is the arena's: longs over *all* trades, whatever its name says."""
    longs = [trade for trade in trades if trade.is_long]
    shorts = [trade for trade in trades if not trade.is_long]
    counts: Table = {
        "num_long_trades": len(longs),
        "num_short_trades": len(shorts),
        "long_short_trades_ratio": ratio(len(longs), len(trades)),
    }
    return breakdown("longs", longs) | breakdown("shorts", shorts) | counts
