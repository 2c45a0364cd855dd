"""The filter of the change log, as its page's address holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from traders.schema.settings.fleet import FLEET_ID
from traders.words import settings as words
from traders.words.moments import MomentField, end_of_period
from traders.words.trader_field import TraderField

MOST = 2**63 - 1
RAISES = "raises"
FLEET_WORD = "fleet"
"""What a person types for the settings of the fleet."""


class LogFilterForm(forms.Form):
    """`config` may be the word fleet; its value is a tuple of ids."""

    config = TraderField(
        label=gettext_lazy("Trader, or fleet"), words=gettext_lazy("Part of a trader's id or name, or fleet")
    )
    path = forms.CharField(label=gettext_lazy("Setting"), required=False, max_length=200)
    actor = forms.ChoiceField(label=gettext_lazy("Person"), required=False)
    source = forms.ChoiceField(label=gettext_lazy("Source"), required=False)
    risk = forms.ChoiceField(label=pgettext_lazy("of a change", "Risk"), required=False)
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Until"), required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=MOST, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, actors: Sequence[str], sources: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        of_risk = [(RAISES, _("raises risk"))]
        named = {
            "risk": of_risk,
            "actor": [(value, value) for value in actors],
            "source": [(s, words.source(s)) for s in sources],
        }
        for name, choices in named.items():
            field: Any = self.fields[name]
            field.choices = [("", _("%(what)s: all") % {"what": field.label}), *choices]
        self.fields["path"].widget.attrs |= {
            "placeholder": _("Setting, such as leverage"),
            "aria-label": _("Words of a setting, or its path"),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since = cleaned.get("since")
        until = cleaned["until"] = end_of_period(since, cleaned.get("until"), self.data.get("until"))
        if self.data.get("config") == FLEET_WORD:
            cleaned["config"] = (FLEET_ID,)
        if isinstance(since, datetime) and isinstance(until, datetime) and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        return cleaned
