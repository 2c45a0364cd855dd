"""How often a sample trader decides, and how large it trades, so that the asked number of trades fits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from demo.sample.plan import SamplePlan
from demo.sample.styles import SYMBOLS

INTERVALS_SECONDS = (3600, 1800, 900, 600, 300, 180, 60)
# Average cycles of a trade, including the wait for the next: fewer leave no time for holding.
COMFORTABLE, NARROWEST = 5.0, 2.0
SECONDS_A_DAY = 86_400
USUAL_TRADES = 60
SMALLEST_USD, ROUND_TO_USD = 100, 50


@dataclass(frozen=True)
class Pace:
    """`cycles` decisions, `interval_ms` apart, the first one interval after the start."""

    start_ms: int
    interval_ms: int
    cycles: int

    def moment_ms(self, cycle: int) -> int:
        return self.start_ms + cycle * self.interval_ms


def pace_of(plan: SamplePlan) -> Pace:
    """The pace of all traders. Raises ValueError when the trades do not fit into the days."""
    slots = shares(plan.trades_of(0))[0] + 1
    for least in (COMFORTABLE, NARROWEST):
        for seconds in INTERVALS_SECONDS:
            cycles = plan.days * SECONDS_A_DAY // seconds - 1
            if cycles / slots >= least:
                return Pace(plan.start_ms, seconds * 1000, cycles)
    raise ValueError(f"{plan.trades:,} trades do not fit into {plan.days} days of {plan.traders:,} traders")


def shares(trades: int) -> list[int]:
    """The number of trades of one trader for each of its symbols, the home symbol first."""
    share, rest = divmod(trades, SYMBOLS)
    return [share + (number < rest) for number in range(SYMBOLS)]


def size_factor(plan: SamplePlan) -> float:
    """Smaller sizes for many trades: ten thousand full-size trades a month would lose everything to commission."""
    a_month = plan.trades_of(0) * 30 / plan.days
    return min(1.0, USUAL_TRADES * 3 / max(a_month, 1))


def size_usd(usual: int, factor: float) -> int:
    return max(SMALLEST_USD, round(usual * factor / ROUND_TO_USD) * ROUND_TO_USD)


def slots(rng: Random, cycles: int, count: int) -> Iterator[tuple[int, int]]:
    """(first, last) cycle of `count` holdings one after another. One may begin in the cycle the last one ended in."""
    length = cycles / count
    for number in range(count):
        begin, end = math.ceil(number * length) or 1, math.ceil((number + 1) * length)
        last_begin = min(int((number + 0.35) * length), end - 1)
        first = rng.randint(begin, max(begin, last_begin))
        held = max(1, int(length * rng.uniform(0.12, 0.55)))
        yield first, min(first + held, end)
