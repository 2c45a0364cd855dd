"""The facts of each group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from trading.analytics.groups.keys import GroupBy, Key, decision_key, held_keys, signal_key, trade_key
from trading.analytics.intervals import Held, OpenPosition
from trading.schema.facts import DecisionFact, SignalFact, TradeFact


@dataclass(slots=True)
class GroupPart:
    """The facts of one group; `held` is what was in the market, in a period also what closed after it."""

    trades: list[TradeFact] = field(default_factory=list)
    signals: list[SignalFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


def split(
    by: GroupBy,
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact],
    decisions: Sequence[DecisionFact],
    open_positions: Sequence[OpenPosition],
    zone: tzinfo = UTC,
) -> list[tuple[Key, GroupPart]]:
    """Every trade in exactly one part. Sorted by trader and value, what has no value first."""
    parts: dict[Key, GroupPart] = defaultdict(GroupPart)
    key_of_trade = trade_key(by, zone)
    for trade in trades:
        parts[key_of_trade(trade)].trades.append(trade)
    held: tuple[Held, ...] = (*trades, *open_positions)
    for one in held:
        for key in held_keys(by, one, zone):
            parts[key].held.append(one)
    for signal in signals:
        of_signal = signal_key(by, signal, zone)
        if of_signal is not None:
            parts[of_signal].signals.append(signal)
    key_of_decision = decision_key(by, signals, zone)
    if key_of_decision is None:
        for part in parts.values():
            part.decisions.extend(decisions)
    else:
        for decision in decisions:
            parts[key_of_decision(decision)].decisions.append(decision)
    return sorted(parts.items(), key=lambda item: _order(item[0]))


def _order(key: Key) -> tuple[str, bool, int, str]:
    trader_id, value = key
    return trader_id, value is not None, value if isinstance(value, int) else 0, value if isinstance(value, str) else ""
