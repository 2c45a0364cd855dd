"""The filters of the record's lists, as the addresses of their pages hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.words.moments import MomentField
from trading.record.browse.queries import ONLY_ASIDE, WITH_ASIDE, RecordFilter
from trading.record.stored.bounds import LARGEST_ID

LARGEST_VERSION = 2**31 - 1


def _is_day(text: Any) -> bool:
    return re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", str(text or "").strip()) is not None


class RecordFilterForm(forms.Form):
    id = forms.CharField(label=gettext_lazy("Id"), required=False, max_length=300)
    trader = forms.CharField(label=gettext_lazy("Trader"), required=False, max_length=64)
    symbol = forms.ChoiceField(label=gettext_lazy("Symbol"), required=False)
    side = forms.ChoiceField(label=gettext_lazy("Side"), required=False)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)
    outcome = forms.ChoiceField(label=gettext_lazy("Result"), required=False)
    version = forms.IntegerField(label=gettext_lazy("Version"), required=False, min_value=0, max_value=LARGEST_VERSION)
    aside = forms.ChoiceField(label=gettext_lazy("Set aside"), required=False)
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Until"), required=False)

    def __init__(self, data: Mapping[str, Any], *, symbols: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        self._choose("symbol", [(symbol, symbol) for symbol in symbols])
        self._choose("side", [("long", _("long")), ("short", _("short"))])
        self._choose("status", [("open", _("open")), ("closed", _("closed"))])
        self._choose("outcome", self.outcomes())
        aside: Any = self.fields["aside"]
        aside.choices = [
            ("", _("without those set aside")),
            (ONLY_ASIDE, _("set aside only")),
            (WITH_ASIDE, _("all, set aside or not")),
        ]
        self._describe("id", _("Exact id"))
        self._describe("trader", _("Trader id"), list="trader-ids", autocomplete="off")
        self._describe("version", _("Version"), title=_("0: before the trader's first version"))

    def outcomes(self) -> list[tuple[str, str]]:
        return [("gain", _("gains")), ("loss", _("losses"))]

    def where(self) -> RecordFilter:
        """Of a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if name in RecordFilter.__dataclass_fields__}
        return RecordFilter(**given)

    def asked(self) -> dict[str, str]:
        """What the address asks for, without the place in the list and without empty fields."""
        return {name: text for name in self.fields if (text := str(self.data.get(name, "")).strip())}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and since == until and _is_day(self.data.get("until")):
            # The same day twice is that day, and not the moment at which it begins.
            until = cleaned["until"] = until + timedelta(days=1)
        if since and until and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        if cleaned.get("version") is not None and not cleaned.get("trader"):
            self.add_error("version", _("Versions are numbered for each trader: name the trader as well."))
        return cleaned

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        if name in self.fields:
            field: Any = self.fields[name]
            field.choices = [("", _("%(what)s: all") % {"what": field.label}), *choices]

    def _describe(self, name: str, words: str, **attributes: str) -> None:
        self.fields[name].widget.attrs |= {"placeholder": words, "aria-label": words, **attributes}


class TradeFilterForm(RecordFilterForm):
    status = None  # type: ignore[assignment]


class PositionFilterForm(RecordFilterForm):
    pass


class DecisionFilterForm(RecordFilterForm):
    """A decision may be about many symbols: it has none of its own."""

    id = forms.IntegerField(label=gettext_lazy("Id"), required=False, min_value=0, max_value=LARGEST_ID)  # type: ignore[assignment]
    symbol = side = status = None  # type: ignore[assignment]

    def outcomes(self) -> list[tuple[str, str]]:
        return [("done", _("done")), ("failed", _("failed or refused"))]
