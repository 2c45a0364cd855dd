"""What the address of the fleet page asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.words.moments import MomentField, end_of_period
from trading.overview.board import SORTS
from trading.overview.ranges import DAYS, RangeName, ShownRange, range_of

MOST_PAGES = 10_000


class OverviewForm(forms.Form):
    """Each field may be left out. What is wrong in one is said at it, and the page shows what it shows without."""

    range = forms.ChoiceField(required=False, choices=[(name.value, name.value) for name in RangeName])
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Until"), required=False)
    trader = forms.CharField(required=False, max_length=64)
    sort = forms.ChoiceField(required=False, choices=[(name, name) for name in SORTS])
    page = forms.IntegerField(required=False, min_value=1, max_value=MOST_PAGES)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since = cleaned.get("since")
        until = cleaned["until"] = end_of_period(since, cleaned.get("until"), self.data.get("until"))
        if isinstance(since, datetime) and isinstance(until, datetime) and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        return cleaned

    def given(self, name: str) -> Any:
        """The cleaned value; None where it is missing or wrong."""
        self.is_valid()
        return self.cleaned_data.get(name) or None

    def shown(self, now_ms: int, first_ms: Callable[[], int | None]) -> ShownRange:
        """`first_ms` is asked where the range needs it."""
        since, until = self.given("since"), self.given("until")
        name = RangeName.OWN if since or until else RangeName(self.given("range") or RangeName.WEEK)
        if name is RangeName.OWN and not (since or until):
            name = RangeName.WEEK
        return range_of(
            name,
            now_ms,
            first_ms=None if name in DAYS or since else first_ms(),
            since_ms=int(since.timestamp() * 1000) if since else None,
            until_ms=int(until.timestamp() * 1000) if until else None,
        )
