"""longs_shorts_breakdown_table: trades by side."""

from __future__ import annotations

from collections.abc import Sequence

from trading.analytics.stats import Table, ratio
from trading.analytics.tables.breakdown import TradeColumns, breakdown, columns_of
from trading.schema.facts import TradeFact


def table(trades: Sequence[TradeFact], columns: TradeColumns | None = None) -> Table:
    """`long_short_trades_ratio` is the arena's: longs over *all* trades, whatever its name says."""
    columns = columns or columns_of(trades)
    is_long = [trade.is_long for trade in trades]
    longs = columns.where(is_long)
    shorts = columns.where(not one for one in is_long)
    counts: Table = {
        "num_long_trades": len(longs.net),
        "num_short_trades": len(shorts.net),
        "long_short_trades_ratio": ratio(len(longs.net), len(trades)),
    }
    return breakdown("longs", longs) | breakdown("shorts", shorts) | counts
