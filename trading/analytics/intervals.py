"""Time in the market."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trading.analytics.stats import percent
from trading.schema.facts import DecisionFact, TradeFact


@dataclass(frozen=True, slots=True)
class Period:
    """Milliseconds since 1970; the end is not part of it."""

    from_ms: int
    to_ms: int

    @property
    def ms(self) -> int:
        return max(self.to_ms - self.from_ms, 0)


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position that is still held, known to be open until `close_ts_ms`. Named as in a trade."""

    trader_id: str
    symbol: str
    side: str
    open_ts_ms: int
    close_ts_ms: int
    entry_version: int | None = None
    prompt_sha256: str | None = None
    model: str | None = None


def overlap(one: Period, other: Period) -> Period:
    """Empty, at the start of the later one, where they do not meet."""
    from_ms = max(one.from_ms, other.from_ms)
    return Period(from_ms, max(from_ms, min(one.to_ms, other.to_ms)))


Held = TradeFact | OpenPosition


def covered_ms(held: Iterable[Held], period: Period) -> int:
    """How long at least one of them was held within the period."""
    covered, until = 0, period.from_ms
    for opened, closed in sorted((one.open_ts_ms, one.close_ts_ms) for one in held):
        start, end = max(opened, until), min(closed, period.to_ms)
        if end > start:
            covered += end - start
            until = end
    return covered


def exposure_pct(held: Iterable[Held], period: Period | None) -> float | None:
    """Time with at least one position in percent of the period; None where the period is empty."""
    return None if period is None else percent(covered_ms(held, period), period.ms)


def span(held: Iterable[Held], decisions: Iterable[DecisionFact]) -> Period | None:
    """From the first entry or decision to the last exit or decision; None where there is neither."""
    times = [decision.decided_at_ms for decision in decisions]
    for one in held:
        times += (one.open_ts_ms, one.close_ts_ms)
    return Period(min(times), max(times)) if times else None
