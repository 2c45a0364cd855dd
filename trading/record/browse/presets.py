"""The periods that a list of the record offers by one click. A link or a saved filter holds the name: "today" is always
the day on which it is opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _

from trading.analytics.today.days import day_of


class PeriodPreset(StrEnum):
    """VERSION is since the trader has its version of now."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"
    VERSION = "version"


_DAYS = {PeriodPreset.WEEK: 7, PeriodPreset.MONTH: 30}


def period_words(preset: PeriodPreset) -> str:
    return {
        PeriodPreset.TODAY: _("Today (%(zone)s)") % {"zone": settings.DESK_TIMEZONE.key},
        PeriodPreset.WEEK: _("7 d"),
        PeriodPreset.MONTH: _("30 d"),
        PeriodPreset.VERSION: _("This version"),
    }[preset]


def begin_of(preset: PeriodPreset, now: datetime) -> datetime:
    """Of today: the site's own day, which begins at midnight in its zone."""
    if preset is PeriodPreset.TODAY:
        begin_ms: int = day_of(now, settings.DESK_TIMEZONE).from_ms
        return datetime.fromtimestamp(begin_ms / 1000, UTC)
    return now - timedelta(days=_DAYS[preset])
