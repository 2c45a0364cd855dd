"""Days, ISO weeks and months of a time zone: 23 or 25 hours where its clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS

_EPOCH = date(1970, 1, 1)


class CalendarUnit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def name_of(ts_ms: int, unit: CalendarUnit, zone: tzinfo = UTC) -> str:
    """2025-10-24, 2025-W43 or 2025-10: sorts as it runs."""
    when = _date(ts_ms, zone)
    if unit is CalendarUnit.DAY:
        return when.isoformat()
    if unit is CalendarUnit.MONTH:
        return f"{when:%Y-%m}"
    year, week, _ = when.isocalendar()
    return f"{year}-W{week:02}"


def period_of(ts_ms: int, unit: CalendarUnit, zone: tzinfo = UTC) -> Period:
    return _bounds(_date(ts_ms, zone), unit, zone)


def starts_between(from_ms: int, to_ms: int, unit: CalendarUnit, zone: tzinfo = UTC) -> Iterator[int]:
    """Where every period starts, from the one of `from_ms` to the one of `to_ms`."""
    while from_ms <= to_ms:
        period = period_of(from_ms, unit, zone)
        yield period.from_ms
        from_ms = period.to_ms


def midnight(day: date, zone: tzinfo) -> int:
    """When the day begins there, in milliseconds since 1970."""
    if zone is UTC:
        return (day - _EPOCH).days * DAY_MS
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


@lru_cache(maxsize=4096)
def _bounds(day: date, unit: CalendarUnit, zone: tzinfo) -> Period:
    if unit is CalendarUnit.DAY:
        first, following = day, day + timedelta(days=1)
    elif unit is CalendarUnit.WEEK:
        first = day - timedelta(days=day.weekday())
        following = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    return Period(midnight(first, zone), midnight(following, zone))


def _date(ts_ms: int, zone: tzinfo) -> date:
    if zone is UTC:
        return _EPOCH + timedelta(days=ts_ms // DAY_MS)
    return datetime.fromtimestamp(ts_ms / 1000, zone).date()
