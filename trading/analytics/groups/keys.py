"""To which group each fact belongs. A group's key is (trader id, value): the trader id is '' where it spans traders,
the value of a period is its start in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from enum import StrEnum

from trading.analytics.calendar import CalendarUnit, period_of, starts_between
from trading.analytics.intervals import Held
from trading.schema.facts import DecisionFact, SignalFact, TradeFact

Key = tuple[str, int | str | None]


class GroupBy(StrEnum):
    VERSION = "version"
    SYMBOL = "symbol"
    SIDE = "side"
    PROMPT = "prompt"
    MODEL = "model"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRADER = "trader"


UNITS = {GroupBy.DAY: CalendarUnit.DAY, GroupBy.WEEK: CalendarUnit.WEEK, GroupBy.MONTH: CalendarUnit.MONTH}
_SIDES = {"open_long": "long", "close_long": "long", "open_short": "short", "close_short": "short"}

_OF_HELD: Mapping[GroupBy, Callable[[Held], Key]] = {
    GroupBy.VERSION: lambda held: (held.trader_id, held.entry_version),
    GroupBy.SYMBOL: lambda held: ("", held.symbol),
    GroupBy.SIDE: lambda held: ("", held.side),
    GroupBy.PROMPT: lambda held: ("", held.prompt_sha256),
    GroupBy.MODEL: lambda held: ("", held.model),
    GroupBy.TRADER: lambda held: (held.trader_id, held.trader_id),
}
_OF_SIGNAL: Mapping[GroupBy, Callable[[SignalFact], Key]] = {
    GroupBy.VERSION: lambda signal: (signal.trader_id, signal.config_version),
    GroupBy.SYMBOL: lambda signal: ("", signal.symbol),
    GroupBy.PROMPT: lambda signal: ("", signal.prompt_sha256),
    GroupBy.MODEL: lambda signal: ("", signal.model),
    GroupBy.TRADER: lambda signal: (signal.trader_id, signal.trader_id),
}


def trade_key(by: GroupBy, zone: tzinfo = UTC) -> Callable[[TradeFact], Key]:
    """A trade counts where it was entered: its P&L is the entry version's. In time it counts at its close."""
    if by in UNITS:
        unit = UNITS[by]
        return lambda trade: ("", period_of(trade.close_ts_ms, unit, zone).from_ms)
    return _OF_HELD[by]


def held_keys(by: GroupBy, held: Held, zone: tzinfo = UTC) -> Iterator[Key]:
    """Every group in which it was in the market: one, or all the periods from entry to exit."""
    if by in UNITS:
        yield from (("", start) for start in starts_between(held.open_ts_ms, held.close_ts_ms, UNITS[by], zone))
    else:
        yield _OF_HELD[by](held)


def signal_key(by: GroupBy, signal: SignalFact, zone: tzinfo = UTC) -> Key | None:
    """None by side for holding and waiting: they name none."""
    if by in UNITS:
        return "", period_of(signal.decided_at_ms, UNITS[by], zone).from_ms
    if by is GroupBy.SIDE:
        return ("", _SIDES[signal.action]) if signal.action in _SIDES else None
    return _OF_SIGNAL[by](signal)


def decision_key(
    by: GroupBy, signals: Iterable[SignalFact], zone: tzinfo = UTC
) -> Callable[[DecisionFact], Key] | None:
    """None by symbol and side: a decision looks at all of them. By prompt and by model a decision belongs where its
    signals do, and one without signals to the unknown ones."""
    if by in UNITS:
        unit = UNITS[by]
        return lambda decision: ("", period_of(decision.decided_at_ms, unit, zone).from_ms)
    if by is GroupBy.VERSION:
        return lambda decision: (decision.trader_id, decision.config_version)
    if by is GroupBy.TRADER:
        return lambda decision: (decision.trader_id, decision.trader_id)
    if by in (GroupBy.PROMPT, GroupBy.MODEL):
        # A decision has one prompt; should its signals differ, the choice does not depend on their order.
        values = sorted((str(_OF_SIGNAL[by](signal)[1] or ""), signal.decision_id) for signal in signals)
        found = {decision_id: value or None for value, decision_id in values}
        return lambda decision: ("", found.get(decision.id))
    return None
