"""The site's own day, and what a trader lost in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from trading.analytics.calendar import midnight
from trading.analytics.intervals import Period


def day_of(moment: datetime, zone: tzinfo) -> Period:
    """The day from local midnight to the next one: 23 or 25 hours long where the clock changes."""
    today = moment.astimezone(zone).date()
    return Period(midnight(today, zone), midnight(today + timedelta(days=1), zone))


@dataclass(frozen=True, slots=True)
class DayLoss:
    """`usd` is below 0 for a gain. `capital` is what could be lost; `pct` is None where that is not above 0."""

    usd: Decimal
    capital: Decimal

    @property
    def pct(self) -> Decimal | None:
        return 100 * self.usd / self.capital if self.capital > 0 else None


def day_loss(at_start: Decimal, transfers: Decimal, now: Decimal) -> DayLoss:
    """E0 + T - E, in % of the smaller of E0 and E0 + T: a deposit hides no loss, and a withdrawal is none."""
    return DayLoss(at_start + transfers - now, min(at_start, at_start + transfers))
