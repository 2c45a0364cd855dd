"""What the page is asked for: a period of the site's days, a grouping, and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.schema.moments import EARLIEST, LATEST
from traders.words.moments import MomentField, end_of_period
from traders.words.trader_field import TraderField
from trading.analytics.groups.keys import GroupBy
from trading.performance.columns import BY_NAME
from trading.performance.queries import TradeSelection
from trading.performance.services import PerformanceQuestion

DEFAULT_PERIOD, ALL = "30d", "all"
PERIODS: dict[str, str | Promise] = {
    "today": gettext_lazy("today"),
    "7d": gettext_lazy("7 days"),
    DEFAULT_PERIOD: gettext_lazy("30 days"),
    ALL: gettext_lazy("all"),
}
_DAYS = {"today": 1, "7d": 7, DEFAULT_PERIOD: 30}
GROUPINGS: dict[str, str | Promise] = {
    GroupBy.TRADER: gettext_lazy("trader"),
    GroupBy.VERSION: gettext_lazy("version"),
    GroupBy.SYMBOL: gettext_lazy("symbol"),
    GroupBy.SIDE: gettext_lazy("side"),
    GroupBy.PROMPT: gettext_lazy("prompt"),
    GroupBy.MODEL: gettext_lazy("model"),
    GroupBy.DAY: gettext_lazy("day"),
    GroupBy.WEEK: gettext_lazy("week"),
    GroupBy.MONTH: gettext_lazy("month"),
}
_ORDERS = {"": "", **{sign + name: name for name in BY_NAME for sign in ("", "-")}}


class SiteMomentField(MomentField):
    """A date or a time of the site's days, because the page counts by them; of a year from 2010 to 2099."""

    def __init__(self, **options: Any) -> None:
        super().__init__(zone=settings.DESK_TIMEZONE, may_lie_ahead=True, **options)

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        if found is not None and not EARLIEST <= found < LATEST:
            raise forms.ValidationError(_("Must be a moment of the years 2010 to 2099."))
        return found


class PerformanceForm(forms.Form):
    """`period` counts where neither `since` nor `until` is given."""

    by = forms.ChoiceField(choices=list(GROUPINGS.items()), required=False)
    period = forms.ChoiceField(choices=list(PERIODS.items()), required=False)
    trader = TraderField(label=gettext_lazy("Trader"))
    symbol = forms.ChoiceField(label=gettext_lazy("Symbol"), required=False)
    side = forms.ChoiceField(label=gettext_lazy("Side"), required=False)
    since = SiteMomentField(label=gettext_lazy("From"), required=False)
    until = SiteMomentField(label=gettext_lazy("Until"), required=False)
    order = forms.ChoiceField(choices=list(_ORDERS.items()), required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6)

    def __init__(self, data: Mapping[str, Any], *, symbols: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        for name, choices in (
            ("symbol", [("", _("Symbol: all")), *((one, one) for one in symbols)]),
            ("side", [("", _("Side: both")), ("long", _("long")), ("short", _("short"))]),
        ):
            field: Any = self.fields[name]
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, typed, field = cleaned.get("since"), self.data.get("until"), self.fields["until"]
        assert isinstance(field, SiteMomentField)
        until = cleaned["until"] = end_of_period(since, cleaned.get("until"), typed, zone=field.zone)
        if since and until and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        return cleaned

    # Of a valid form:

    @property
    def grouping(self) -> GroupBy:
        return GroupBy(self.cleaned_data["by"] or GroupBy.TRADER)

    @property
    def period_named(self) -> str:
        """Empty for one that is typed."""
        if self.cleaned_data["since"] or self.cleaned_data["until"]:
            return ""
        return str(self.cleaned_data["period"] or DEFAULT_PERIOD)

    @property
    def page_number(self) -> int:
        return int(self.cleaned_data["page"] or 1)

    def question(self) -> PerformanceQuestion:
        said = self.cleaned_data
        since = _begin_of(self.period_named) if self.period_named else said["since"]
        chosen = TradeSelection(
            said["trader"] or None, since, said["until"], said["symbol"] or None, said["side"] or None
        )
        return PerformanceQuestion(self.grouping, chosen, said["order"] or "")

    def asked(self) -> dict[str, str]:
        """What the address asks for, without empty fields and without the page."""
        names = [name for name in self.fields if name != "page"]
        return {name: text for name in names if (text := str(self.data.get(name, "")).strip())}


def _begin_of(period: str) -> datetime | None:
    """The midnight with which the last days begin, today included; None for all."""
    if period not in _DAYS:
        return None
    today = timezone.now().astimezone(settings.DESK_TIMEZONE).date()
    first = today - timedelta(days=_DAYS[period] - 1)
    return datetime.combine(first, time(), settings.DESK_TIMEZONE)
