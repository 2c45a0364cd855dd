"""The filter of the changes by result: the filter of the change log, a change set, an order and a place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from traders.versions.changelog.forms import MOST, LogFilterForm
from traders.words.trader_field import TraderField
from traders.words.typed_fields import TypedIntegerField
from trading.record.results.ranking import ResultPlace

WORST, BEST = "worst", "best"
_PLACE = re.compile(r"(-?\d{1,30}(?:\.\d{1,60})?)~([^~\0]{1,64})~(\d{1,9})", re.ASCII)


class ResultPlaceField(forms.CharField):
    def clean(self, value: Any) -> ResultPlace | None:
        found = _PLACE.fullmatch(str(super().clean(value) or ""))
        return ResultPlace(Decimal(found[1]), found[2], int(found[3])) if found else None


def place_text(place: ResultPlace) -> str:
    return f"{place.net:f}~{place.trader_id}~{place.version}"


class ResultFilterForm(LogFilterForm):
    before = None  # type: ignore[assignment]
    config = TraderField(label=gettext_lazy("Trader"))
    change_set = TypedIntegerField(label=gettext_lazy("Change set"), required=False, min_value=1, max_value=MOST)
    order = forms.ChoiceField(label=pgettext_lazy("of rows", "Order"), required=False)
    after = ResultPlaceField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, actors: Sequence[str], sources: Sequence[str]) -> None:
        super().__init__(data, actors=actors, sources=sources)
        # Not when the change was made: which trades count.
        self.fields["since"].label, self.fields["until"].label = _("P&L from"), _("until")
        order: Any = self.fields["order"]
        order.choices = [("", _("worst first")), (BEST, _("best first"))]
        self.fields["change_set"].widget.attrs |= {"placeholder": _("Change set"), "aria-label": _("Change set")}

    @property
    def best_first(self) -> bool:
        return bool(self.cleaned_data.get("order") == BEST)

    def asked(self) -> dict[str, str]:
        """The filters of the address, without the place in the list, for links to other pages of it."""
        names = [name for name in self.fields if name != "after"]
        return {name: text for name in names if (text := str(self.data.get(name, "")).strip())}
