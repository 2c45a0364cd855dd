"""The filter of the change log, as its page's address holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.words import settings as words
from traders.words.moments import MomentField

MOST = 2**63 - 1


class LogFilterForm(forms.Form):
    config = forms.CharField(label=gettext_lazy("Trader"), required=False, max_length=64)
    path = forms.CharField(label=gettext_lazy("Setting"), required=False, max_length=200)
    actor = forms.ChoiceField(label=gettext_lazy("Person"), required=False)
    source = forms.ChoiceField(label=gettext_lazy("Source"), required=False)
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Until"), required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=MOST, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, actors: Sequence[str], sources: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        named = {"actor": [(value, value) for value in actors], "source": [(s, words.source(s)) for s in sources]}
        for name, choices in named.items():
            field: Any = self.fields[name]
            field.choices = [("", _("%(what)s: all") % {"what": field.label}), *choices]
        self.fields["config"].widget.attrs |= {"placeholder": _("Trader id"), "aria-label": _("Trader id")}
        self.fields["path"].widget.attrs |= {
            "placeholder": _("Setting, such as leverage"),
            "aria-label": _("Words of a setting, or its path"),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if isinstance(since, datetime) and isinstance(until, datetime) and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        return cleaned
