"""How long positions were held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trading.analytics.stats import mean, median, stdev
from trading.analytics.tables.breakdown import MINUTE_MS
from trading.schema.facts import TradeFact


@dataclass(frozen=True, slots=True)
class HoldingTimes:
    """Minutes from entry to exit; all None without trades, the deviation also of a single one."""

    avg_mins: float | None
    median_mins: float | None
    std_mins: float | None
    min_mins: float | None
    max_mins: float | None


def holding_times(trades: Sequence[TradeFact]) -> HoldingTimes:
    mins = [trade.holding_ms / MINUTE_MS for trade in trades]
    return HoldingTimes(mean(mins), median(mins), stdev(mins), min(mins, default=None), max(mins, default=None))
