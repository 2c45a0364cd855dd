"""Days, ISO weeks and months, in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS

_EPOCH = date(1970, 1, 1)


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def name_of(ts_ms: int, unit: Unit) -> str:
    """2025-10-24, 2025-W43 or 2025-10: sorts as it runs."""
    when = _date(ts_ms // DAY_MS)
    if unit is Unit.DAY:
        return when.isoformat()
    if unit is Unit.MONTH:
        return f"{when:%Y-%m}"
    year, week, _ = when.isocalendar()
    return f"{year}-W{week:02}"


def period_of(ts_ms: int, unit: Unit) -> Period:
    return _bounds(ts_ms // DAY_MS, unit)


def starts_between(from_ms: int, to_ms: int, unit: Unit) -> Iterator[int]:
    """Where every period starts, from the one of `from_ms` to the one of `to_ms`."""
    while from_ms <= to_ms:
        period = period_of(from_ms, unit)
        yield period.from_ms
        from_ms = period.to_ms


@lru_cache(maxsize=4096)
def _bounds(day: int, unit: Unit) -> Period:
    if unit is Unit.DAY:
        return Period(day * DAY_MS, (day + 1) * DAY_MS)
    if unit is Unit.WEEK:
        monday = day - _date(day).weekday()
        return Period(monday * DAY_MS, (monday + 7) * DAY_MS)
    first = _date(day).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(_day(first) * DAY_MS, _day(following) * DAY_MS)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _day(when: date) -> int:
    return (when - _EPOCH).days
