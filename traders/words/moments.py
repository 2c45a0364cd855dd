"""Reads and shows moments in the active zone, which is that of the viewer on pages and UTC elsewhere.

A text with a zone keeps it; one without is of the active zone. Moments in the future are refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.words.settings import duration
from traders.words.typed import half_width
from traders.words.zones import exact, local_of

LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=UTC)
LONGEST_TYPED = 40
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_WHOLE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:")
_SLASHES = re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})")


class MomentInput(forms.TextInput):
    """A text such as `2026-11-01 14:05`: a browser's own picker hides its 24 hours behind AM and PM where its language
    does. `moments.js` puts that picker beside it."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, zone: tzinfo | None = None) -> None:
        self.zone = zone
        shared = {"class": "moment", "placeholder": "2026-11-01 14:05", "autocomplete": "off", "spellcheck": "false"}
        super().__init__({**shared, "maxlength": LONGEST_TYPED, "size": 19, "data-moment": True, **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The script writes these words."""
        words = {"data-pick": _("Choose a date and time")}
        return super().get_context(name, value, {**words, **(attrs or {})})

    def format_value(self, value: Any) -> str:
        """A text stays as it was typed, but for one that names its zone or comes of a picker."""
        if isinstance(value, datetime):
            return for_picker(value, self.zone)
        text = str(value or "").strip()
        if not _WHOLE.match(text):
            return text
        zone = self.zone or timezone.get_current_timezone()
        moment = _parsed(text, zone)
        return for_picker(moment, zone) if moment else text


class MomentField(forms.Field):
    """`zone`: of a text without one; None: the active one. `may_lie_ahead`: the future is taken too."""

    widget = MomentInput

    def __init__(self, *, zone: tzinfo | None = None, may_lie_ahead: bool = False, **options: Any) -> None:
        super().__init__(**{"widget": MomentInput(zone=zone), **options})
        self.zone, self.may_lie_ahead = zone, may_lie_ahead

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        return read_moment(text, zone=self.zone, may_lie_ahead=self.may_lie_ahead) if text else None


def read_moment(text: str, *, zone: tzinfo | None = None, may_lie_ahead: bool = False) -> datetime:
    """`2026-11-01 14:05`, `2026-11-01` (its beginning) or `14:05` (today), in `zone` or the active one; with a zone of
    its own, such as `2026-11-01T14:05Z`, in that. Raises ValidationError."""
    moment = _parsed(text, zone or timezone.get_current_timezone())
    if moment is None:
        raise forms.ValidationError(
            _("“%(text)s” is no moment: write it like 2026-11-01 14:05, or 2026-11-01.") % {"text": text[:60]}
        )
    # A picker rounds up to whole seconds, so "now" may be up to one second ahead.
    if not may_lie_ahead and moment > timezone.now() + timedelta(seconds=1):
        raise forms.ValidationError(_("%(text)s is yet to come.") % {"text": text[:60]})
    return moment


def end_of_period(since: Any, until: Any, typed: Any, *, zone: tzinfo | None = None) -> Any:
    """`until`, or where the same day was typed twice the end of that day in `zone` or the active one: a day has 23 or
    25 hours where the clock is changed. `typed` is the text of `until`."""
    if not isinstance(until, datetime) or since != until:
        return until
    try:
        day = parse_date(_plain(str(typed or "")))
        return until if day is None else _begin_of(day + timedelta(days=1), zone or timezone.get_current_timezone())
    except (ValueError, OverflowError):
        return until


def for_picker(moment: datetime, zone: tzinfo | None = None) -> str:
    """`2026-11-01 14:05:30` in `zone` or the active one, rounded up to a whole second, so that the result includes what
    was saved at `moment`. The hour that a change of the clock repeats names its offset, or the text would mean two."""
    whole = moment.astimezone(UTC)
    if whole.microsecond and whole < LAST_SECOND:
        whole = whole.replace(microsecond=0) + timedelta(seconds=1)
    local = local_of(whole, zone)
    return (local if local.fold else local.replace(tzinfo=None)).isoformat(
        " ", "seconds" if local.second else "minutes"
    )


def clock_words(moment: datetime, now: datetime) -> str:
    """`14:05` of today, `11-01 14:05` of the last or next months, else `2025-11-01 14:05`."""
    local, today = local_of(moment), local_of(now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if abs(now - moment) < _DATE_WITHOUT_YEAR else f"{local:%Y-%m-%d %H:%M}"


def time_element(moment: datetime, now: datetime, *, may_lie_ahead: bool = False) -> SafeString:
    """`14:05, 4 min ago`, with the exact time on hover. What may lie ahead is `14:12, in 3 min`."""
    age = ahead_words(moment, now) if may_lie_ahead and moment > now else ago_words(moment, now)
    clock = clock_words(moment, now)
    # Of what is long ago the date says all.
    said = clock if clock.startswith(age) else _("%(clock)s, %(age)s") % {"clock": clock, "age": age}
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), said)


# Clocks of two machines, and of a page and its row, differ by as much.
SLACK_SECONDS = 2
_DATE_WITHOUT_YEAR = timedelta(days=30)


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
    return f"{local_of(moment):%Y-%m-%d}"


def ahead_words(moment: datetime, now: datetime) -> str:
    """`in 3 min`: what is ten minutes away needs no seconds, what is a day away no minutes."""
    seconds = int((moment - now).total_seconds())
    unit = 1 if seconds < 600 else 60 if seconds < 86400 else 3600
    return _("in %(time)s") % {"time": duration(seconds - seconds % unit)}


def _parsed(text: str, zone: tzinfo) -> datetime | None:
    typed = _plain(text)
    try:
        if day := parse_date(typed):
            return _begin_of(day, zone)
        # `parse_time` would read the year 2026 as 20:26.
        if _CLOCK.fullmatch(typed) and (clock := parse_time(typed)):
            return datetime.combine(timezone.now().astimezone(zone).date(), clock, zone).astimezone(UTC)
        found = parse_datetime(typed)
        if found is None:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    return _SLASHES.sub(r"\1-\2-\3", half_width(text).strip())


def _begin_of(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
