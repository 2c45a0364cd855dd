"""invocation_breakdown_table: how often the model was called."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from trading.analytics.stats import Table, mean, stdev
from trading.analytics.tables.breakdown import MINUTE_MS
from trading.schema.facts import DecisionFact


def table(decisions: Sequence[DecisionFact]) -> Table:
    """Breaks lie between two calls of one trader, failed calls included, in minutes; None of fewer than two calls."""
    breaks = break_mins(decisions)
    return {
        "avg_invocation_break_mins": mean(breaks),
        "max_invocation_break_mins": max(breaks, default=None),
        "min_invocation_break_mins": min(breaks, default=None),
        "num_invocations": len(decisions),
        "std_invocation_break_mins": stdev(breaks),
    }


def break_mins(decisions: Sequence[DecisionFact]) -> list[float]:
    times = sorted((decision.trader_id, decision.decided_at_ms) for decision in decisions)
    return [(after - before) / MINUTE_MS for (one, before), (other, after) in pairwise(times) if one == other]
