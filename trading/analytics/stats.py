"""Statistics of floats. What is undefined, or too large for a float, is None."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, localcontext

# Money is summed exactly: room for 10^30 USD with 70 decimals.
EXACT = Context(prec=100)

Figure = Decimal | float | int | None
Table = dict[str, Figure]


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """The sum to the last digit, so in any order the same."""
    with localcontext(EXACT):
        return sum(values, Decimal(0))


def known(values: Iterable[Decimal | None]) -> list[float]:
    return [float(value) for value in values if value is not None]


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def ratio(part: float | Decimal, whole: float | Decimal) -> float | None:
    """None where `whole` is zero."""
    return finite(float(part) / float(whole)) if float(whole) else None


def percent(part: float | Decimal, whole: float | Decimal) -> float | None:
    return ratio(100 * float(part), whole)


def mean(values: Sequence[float]) -> float | None:
    return finite(_sum(values) / len(values)) if values else None


def stdev(values: Sequence[float]) -> float | None:
    """The sample standard deviation (n - 1); None of fewer than two values."""
    average = mean(values)
    if average is None or len(values) < 2:
        return None
    if min(values) == max(values):
        return 0.0
    return finite(math.sqrt(_sum([(value - average) * (value - average) for value in values]) / (len(values) - 1)))


def median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return finite(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond a float, or infinities of both signs
        return math.nan
