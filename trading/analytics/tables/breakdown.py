"""The six figures that the arena gives for winners, losers, longs and shorts alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

from trading.analytics.stats import Table, mean, stdev
from trading.schema.facts import TradeFact

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Of each trade: minutes held, net P&L and notional at entry in USD. Made once, because floats of 100,000 Decimals
    take longer than all that is computed from them."""

    holding: list[float]
    net: list[float]
    notional: list[float]

    def where(self, chosen: Iterable[bool]) -> TradeColumns:
        kept = list(chosen)
        return TradeColumns(*(list(compress(column, kept)) for column in (self.holding, self.net, self.notional)))


def columns_of(trades: Sequence[TradeFact]) -> TradeColumns:
    return TradeColumns(
        [(trade.close_ts_ms - trade.open_ts_ms) / MINUTE_MS for trade in trades],
        [float(trade.net) for trade in trades],
        [float(trade.entry_price) * float(trade.quantity) for trade in trades],
    )


def breakdown(name: str, columns: TradeColumns) -> Table:
    return {
        f"avg_{name}_holding_period": mean(columns.holding),
        f"avg_{name}_net_pnl": mean(columns.net),
        f"avg_{name}_notional": mean(columns.notional),
        f"std_{name}_holding_period": stdev(columns.holding),
        f"std_{name}_net_pnl": stdev(columns.net),
        f"std_{name}_notional": stdev(columns.notional),
    }
