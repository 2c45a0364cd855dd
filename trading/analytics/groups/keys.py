"""To which group each fact belongs. A group's key is (trader id, value): the trader id is '' where it spans traders,
the value of a period is its start in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from trading.analytics.calendar import Unit, period_of, starts_between
from trading.analytics.intervals import Held
from trading.schema.facts import DecisionFact, SignalFact, TradeFact

Key = tuple[str, int | str | None]


class By(StrEnum):
    VERSION = "version"
    SYMBOL = "symbol"
    SIDE = "side"
    PROMPT = "prompt"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TRADER = "trader"


UNITS = {By.DAY: Unit.DAY, By.WEEK: Unit.WEEK, By.MONTH: Unit.MONTH}
_SIDES = {"open_long": "long", "close_long": "long", "open_short": "short", "close_short": "short"}

_OF_HELD: Mapping[By, Callable[[Held], Key]] = {
    By.VERSION: lambda held: (held.trader_id, held.entry_version),
    By.SYMBOL: lambda held: ("", held.symbol),
    By.SIDE: lambda held: ("", held.side),
    By.PROMPT: lambda held: ("", held.prompt_sha256),
    By.TRADER: lambda held: (held.trader_id, held.trader_id),
}
_OF_SIGNAL: Mapping[By, Callable[[SignalFact], Key]] = {
    By.VERSION: lambda signal: (signal.trader_id, signal.config_version),
    By.SYMBOL: lambda signal: ("", signal.symbol),
    By.PROMPT: lambda signal: ("", signal.prompt_sha256),
    By.TRADER: lambda signal: (signal.trader_id, signal.trader_id),
}


def trade_key(by: By) -> Callable[[TradeFact], Key]:
    """A trade counts where it was entered: its P&L is the entry version's. In time it counts at its close."""
    if by in UNITS:
        unit = UNITS[by]
        return lambda trade: ("", period_of(trade.close_ts_ms, unit).from_ms)
    return _OF_HELD[by]


def held_keys(by: By, held: Held) -> Iterator[Key]:
    """Every group in which it was in the market: one, or all the periods from entry to exit."""
    if by in UNITS:
        yield from (("", start) for start in starts_between(held.open_ts_ms, held.close_ts_ms, UNITS[by]))
    else:
        yield _OF_HELD[by](held)


def signal_key(by: By, signal: SignalFact) -> Key | None:
    """None by side for holding and waiting: they name none."""
    if by in UNITS:
        return "", period_of(signal.decided_at_ms, UNITS[by]).from_ms
    if by is By.SIDE:
        return ("", _SIDES[signal.action]) if signal.action in _SIDES else None
    return _OF_SIGNAL[by](signal)


def decision_key(by: By, signals: Iterable[SignalFact]) -> Callable[[DecisionFact], Key] | None:
    """None by symbol and side: a decision looks at all of them. By prompt a decision belongs where its signals do, and
    one without signals to the unknown prompt."""
    if by in UNITS:
        unit = UNITS[by]
        return lambda decision: ("", period_of(decision.decided_at_ms, unit).from_ms)
    if by is By.VERSION:
        return lambda decision: (decision.trader_id, decision.config_version)
    if by is By.TRADER:
        return lambda decision: (decision.trader_id, decision.trader_id)
    if by is By.PROMPT:
        # A decision has one prompt; should its signals differ, the choice does not depend on their order.
        ordered = sorted(signals, key=lambda signal: signal.prompt_sha256 or "")
        prompts = {signal.decision_id: signal.prompt_sha256 for signal in ordered}
        return lambda decision: ("", prompts.get(decision.id))
    return None
