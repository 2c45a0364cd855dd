"""Reads and shows moments. A text without a zone is UTC; moments in the future are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=UTC)


class MomentInput(forms.DateTimeInput):
    """A date-time picker; it knows no zones, so it shows UTC."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str:
        return for_picker(value) if isinstance(value, datetime) else for_picker_text(value)


class MomentField(forms.Field):
    widget = MomentInput

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=MomentInput(attrs={"step": 1}), **options)

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        return read_moment(text) if text else None


def read_moment(text: str) -> datetime:
    """Raises ValidationError."""
    moment = _parsed(text.strip())
    if moment is None:
        raise forms.ValidationError(
            _("“%(text)s” is no moment: write it like 2026-11-01T12:00 (UTC) or 2026-11-01.") % {"text": text[:60]}
        )
    # A picker rounds up to whole seconds, so "now" may be up to one second ahead.
    if moment > timezone.now() + timedelta(seconds=1):
        raise forms.ValidationError(_("%(text)s is yet to come.") % {"text": text[:60]})
    return moment


def for_picker(moment: datetime) -> str:
    """Rounds up to a whole second, so that the result includes what was saved at `moment`."""
    whole = moment.astimezone(UTC)
    if whole.microsecond and whole < LAST_SECOND:
        whole = whole.replace(microsecond=0) + timedelta(seconds=1)
    return whole.replace(tzinfo=None).isoformat()


def for_picker_text(text: Any) -> str:
    """The typed text if it is a moment, else empty: a picker cannot show other texts."""
    found = _parsed(str(text or "").strip())
    return for_picker(found) if found else ""


def _parsed(text: str) -> datetime | None:
    try:
        if day := parse_date(text):
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = parse_datetime(text)
        if found is None:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def exact(moment: datetime) -> str:
    return moment.astimezone(timezone.get_current_timezone()).strftime("%Y-%m-%d %H:%M:%S %Z")


# Clocks of two machines, and of a page and its row, differ by as much.
SLACK_SECONDS = 2


def ago_words(moment: datetime, now: datetime) -> str:
    seconds = int((now - moment).total_seconds())
    if seconds < -SLACK_SECONDS:
        return _("ahead of this server's clock")
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return ngettext("%(n)d min ago", "%(n)d min ago", seconds // 60) % {"n": seconds // 60}
    if seconds < 86400:
        return ngettext("%(n)d h ago", "%(n)d h ago", seconds // 3600) % {"n": seconds // 3600}
    if seconds < 30 * 86400:
        return ngettext("%(n)d day ago", "%(n)d days ago", seconds // 86400) % {"n": seconds // 86400}
    return moment.strftime("%Y-%m-%d")
