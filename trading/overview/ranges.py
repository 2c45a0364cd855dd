"""The period that the fleet page shows, and the moments of its curves. Plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trading.analytics.intervals import Period

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MOST_POINTS, FEWEST_POINTS = 480, 120
# So many points are looked up for a curve of the fleet that no cache holds: the more traders, the fewer moments.
MOST_LOOKUPS = 48_000
# Two curves of one period have the same moments, so that what was computed for one serves the next.
_STEPS_MS = (
    *(MINUTE_MS * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR_MS * count for count in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY_MS * count for count in (1, 2, 7, 14, 30, 90)),
)


class RangeName(StrEnum):
    DAY = "1d"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"
    OWN = "own"


DAYS = {RangeName.DAY: 1, RangeName.WEEK: 7, RangeName.MONTH: 30}


@dataclass(frozen=True, slots=True)
class ShownRange:
    """`period` ends now, unless an end was chosen (`is_past`)."""

    name: RangeName
    period: Period
    is_past: bool = False


def range_of(
    name: RangeName, now_ms: int, *, first_ms: int | None, since_ms: int | None = None, until_ms: int | None = None
) -> ShownRange:
    """`first_ms`: the first equity of the fleet. A period of its own without a beginning begins there."""
    end = min(until_ms, now_ms) if name is RangeName.OWN and until_ms else now_ms
    if name in DAYS:
        start = end - DAYS[name] * DAY_MS
    else:
        chosen = since_ms if name is RangeName.OWN else None
        start = chosen or first_ms or end - DAY_MS
    # An empty period could show nothing.
    return ShownRange(name, Period(min(start, end - MINUTE_MS), end), is_past=end < now_ms)


def points_for(traders: int) -> int:
    """How many moments a curve over so many traders has at most."""
    return max(FEWEST_POINTS, min(MOST_POINTS, MOST_LOOKUPS // max(traders, 1)))


def moments_of(period: Period, most: int) -> list[int]:
    """At most `most` moments in milliseconds, ascending: whole steps since 1970 from the beginning of the period on;
    its end is not one of them."""
    step = next((one for one in _STEPS_MS if period.ms <= one * (most - 1)), _longer(period, most))
    return list(range(period.from_ms // step * step, period.to_ms, step))


def thinned(moments: Sequence[int], most: int) -> list[int]:
    """Some of them, evenly, the last one included."""
    if len(moments) <= most:
        return list(moments)
    return [moments[place * (len(moments) - 1) // (most - 1)] for place in range(most)]


def _longer(period: Period, most: int) -> int:
    return -(-period.ms // ((most - 1) * DAY_MS)) * DAY_MS
