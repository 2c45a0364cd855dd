"""The filter of the changes by outcome: that of the change log, with one change set, an order, and a place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.versions.changelog.forms import MOST, LogFilterForm
from trading.record.results.outcomes import OutcomePlace

WORST, BEST = "worst", "best"
_PLACE = re.compile(r"(-?\d{1,30}(?:\.\d{1,60})?)~([^~\0]{1,64})~(\d{1,9})", re.ASCII)


class OutcomePlaceField(forms.CharField):
    def clean(self, value: Any) -> OutcomePlace | None:
        found = _PLACE.fullmatch(str(super().clean(value) or ""))
        return OutcomePlace(Decimal(found[1]), found[2], int(found[3])) if found else None


def place_text(place: OutcomePlace) -> str:
    return f"{place.net:f}~{place.trader_id}~{place.version}"


class OutcomeFilterForm(LogFilterForm):
    before = None  # type: ignore[assignment]
    change_set = forms.IntegerField(label=gettext_lazy("Change set"), required=False, min_value=1, max_value=MOST)
    order = forms.ChoiceField(label=gettext_lazy("Order"), required=False)
    after = OutcomePlaceField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, actors: Sequence[str], sources: Sequence[str]) -> None:
        super().__init__(data, actors=actors, sources=sources)
        order: Any = self.fields["order"]
        order.choices = [("", _("worst first")), (BEST, _("best first"))]
        self.fields["change_set"].widget.attrs |= {"placeholder": _("Change set"), "aria-label": _("Change set")}

    @property
    def best_first(self) -> bool:
        return bool(self.cleaned_data.get("order") == BEST)

    def asked(self) -> dict[str, str]:
        """What the address asks for, to be asked again, but for the place in the list."""
        names = [name for name in self.fields if name != "after"]
        return {name: text for name in names if (text := str(self.data.get(name, "")).strip())}
