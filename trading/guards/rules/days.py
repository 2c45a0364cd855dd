"""The site's day, by which losses and budgets are limited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from trading.analytics.today.days import day_of


@dataclass(frozen=True, slots=True)
class SiteDay:
    """`name` is its date in the site's zone; `start` and `end` are UTC, the end is not part of it."""

    name: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> SiteDay:
        period = day_of(moment, zone)
        start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (period.from_ms, period.to_ms))
        return cls(moment.astimezone(zone).date().isoformat(), start, end)

    @property
    def start_ms(self) -> int:
        return int(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        return int(self.end.timestamp() * 1000)
