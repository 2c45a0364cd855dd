"""The filters of the record's lists, as the addresses of their pages hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from traders.words.moments import MomentField, end_of_period
from traders.words.trader_field import TraderField
from traders.words.typed_fields import TypedIntegerField
from trading.record.browse.presets import PeriodPreset, begin_of, period_words
from trading.record.browse.queries import NO_FUNDING, ONLY_ASIDE, WITH_ASIDE, RecordFilter
from trading.schema.decision import Action
from trading.schema.ids import LARGEST_ID
from trading.templatetags.record import action_word

LARGEST_VERSION = 2**31 - 1
EVERY = "all"
"""The outcome that stands for any."""


class RecordFilterForm(forms.Form):
    id = forms.CharField(label=gettext_lazy("Id"), required=False, max_length=300)
    trader = TraderField(label=gettext_lazy("Trader"))
    period = forms.ChoiceField(label=gettext_lazy("Period"), required=False)
    symbol = forms.ChoiceField(label=gettext_lazy("Symbol"), required=False)
    side = forms.ChoiceField(label=gettext_lazy("Side"), required=False)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)
    outcome = forms.ChoiceField(label=gettext_lazy("Result"), required=False)
    version = TypedIntegerField(label=gettext_lazy("Version"), required=False, min_value=0, max_value=LARGEST_VERSION)
    person = forms.ChoiceField(label=gettext_lazy("Version by"), required=False)
    aside = forms.ChoiceField(label=gettext_lazy("Set aside"), required=False)
    since = MomentField(label=gettext_lazy("From"), required=False)
    until = MomentField(label=gettext_lazy("Until"), required=False)

    def __init__(self, data: Mapping[str, Any], *, symbols: Sequence[str], people: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        self._choose("period", [(period.value, period_words(period)) for period in PeriodPreset])
        self._choose("person", [(name, name) for name in people])
        self._choose("symbol", [(symbol, symbol) for symbol in symbols])
        self._choose("side", [("long", _("long")), ("short", _("short"))])
        self._choose("status", [("open", pgettext("position", "open")), ("closed", pgettext("position", "closed"))])
        self._choose("outcome", self.outcomes())
        aside: Any = self.fields["aside"]
        aside.choices = [
            ("", _("without those set aside")),
            (ONLY_ASIDE, _("set aside only")),
            (WITH_ASIDE, _("all, set aside or not")),
        ]
        self._describe("id", _("Exact id"))
        self._describe("version", _("Version"), title=_("0: before the trader's first version"))

    def outcomes(self) -> list[tuple[str, str]]:
        return [("gain", _("won")), ("loss", _("lost"))]

    def where(self) -> RecordFilter:
        """Of a valid form. A preset of time narrows the period that is asked for beside it."""
        given = {name: value for name, value in self.cleaned_data.items() if name in RecordFilter.__dataclass_fields__}
        preset = self.cleaned_data.get("period")
        if preset == PeriodPreset.VERSION:
            given["is_current"] = True
        elif preset:
            begin = begin_of(PeriodPreset(preset), timezone.now())
            given["since"] = max(begin, given["since"]) if given.get("since") else begin
        return RecordFilter(**given)

    def asked(self) -> dict[str, str]:
        return self.asked_in(self.data)

    @classmethod
    def asked_in(cls, address: Mapping[str, Any]) -> dict[str, str]:
        """What the address asks for, without the place in the list and without empty fields."""
        return {name: text for name in cls.base_fields if (text := str(address.get(name, "")).strip())}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since = cleaned.get("since")
        until = cleaned["until"] = end_of_period(since, cleaned.get("until"), self.data.get("until"))
        if since and until and until <= since:
            self.add_error("until", _("Must be after the beginning of the period."))
        if cleaned.get("version") is not None and len(cleaned.get("trader") or ()) != 1:
            self.add_error("version", _("Versions are numbered for each trader: name one trader as well."))
        return cleaned

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        if name in self.fields:
            field: Any = self.fields[name]
            field.choices = [("", _("%(what)s: all") % {"what": field.label}), *choices]

    def _describe(self, name: str, words: str, **attributes: str) -> None:
        self.fields[name].widget.attrs |= {"placeholder": words, "aria-label": words, **attributes}


class TradeFilterForm(RecordFilterForm):
    status = None  # type: ignore[assignment]

    def outcomes(self) -> list[tuple[str, str]]:
        return [*super().outcomes(), (NO_FUNDING, _("funding not known"))]


class PositionFilterForm(RecordFilterForm):
    pass


class DecisionFilterForm(RecordFilterForm):
    """A decision may be about many symbols: `symbol` and `action` are of one that it asks for. Without an `outcome`,
    what did something comes: an order, a refusal or a failure."""

    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    id = TypedIntegerField(label=gettext_lazy("Id"), required=False, min_value=0, max_value=LARGEST_ID)  # type: ignore[assignment]
    side = status = None  # type: ignore[assignment]

    def __init__(self, data: Mapping[str, Any], **choices: Sequence[str]) -> None:
        super().__init__(data, **choices)
        self._choose("action", [(action.value, action_word(action)) for action in Action])
        outcome: Any = self.fields["outcome"]
        outcome.choices = [("", _("Did something")), *self.outcomes()]

    def outcomes(self) -> list[tuple[str, str]]:
        return [
            *((EVERY, _("All decisions")), ("order", _("with an order")), ("refused", _("with a refusal"))),
            *(("failed", _("failed")), ("held", pgettext("decisions", "held"))),
        ]

    def where(self) -> RecordFilter:
        found = super().where()
        given = self.cleaned_data
        asked = tuple((name, given[name]) for name in ("symbol", "action") if given[name])
        outcome = "" if found.outcome == EVERY or found.id else found.outcome or "did"
        return replace(found, symbol="", asked=asked, outcome=outcome)
