"""Which rows to set aside or to include again, and the filter of the page that lists who did so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from traders.words.trader_field import TraderField
from trading.record.exclusions.queries import ExclusionFilter
from trading.schema.exclusion import RecordKey, RecordKind, named_key
from trading.schema.ids import LARGEST_ID

# The most rows of one preview in the browser; the command takes more.
MOST_ROWS = 1_000
_LONGEST_ID = 300

KIND_WORDS = {
    RecordKind.TRADE: gettext_lazy("trade"),
    RecordKind.POSITION: gettext_lazy("position"),
    RecordKind.DECISION: gettext_lazy("decision"),
    RecordKind.EQUITY: gettext_lazy("equity point"),
}
KINDS = [(kind.value, words) for kind, words in KIND_WORDS.items()]


class ChosenForm(forms.Form):
    """`kind`, and `id` once for each row. `undo` includes them again."""

    kind = forms.ChoiceField(choices=KINDS)
    undo = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.ids = list(dict.fromkeys(name.strip() for name in data.getlist("id") if name.strip()))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.ids:
            raise forms.ValidationError(_("Choose at least one row."))
        if len(self.ids) > MOST_ROWS:
            raise forms.ValidationError(_("Choose at most %(n)d rows.") % {"n": MOST_ROWS})
        if any(len(name) > _LONGEST_ID for name in self.ids):
            raise forms.ValidationError(_("An id has at most %(n)d characters.") % {"n": _LONGEST_ID})
        return cleaned

    @property
    def keys(self) -> list[RecordKey]:
        kind = RecordKind(self.cleaned_data["kind"])
        return [named_key(kind, name) for name in self.ids]


class AsideFilterForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    trader = TraderField(label=gettext_lazy("Trader"))
    actor = forms.CharField(label=pgettext_lazy("a person", "By"), required=False, max_length=200)
    id = forms.CharField(label=gettext_lazy("Id"), required=False, max_length=_LONGEST_ID)
    older = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, actors: Sequence[str]) -> None:
        super().__init__(data, auto_id="f-%s")
        self._choose("kind", [(value, str(words)) for value, words in KINDS])
        self._choose(
            "state", [("aside", _("set aside now")), ("exclude", _("set aside")), ("include", _("included again"))]
        )
        self.fields["actor"].widget.attrs |= {"placeholder": _("By whom"), "aria-label": _("By whom"), "list": "actors"}
        self.fields["id"].widget.attrs |= {"placeholder": _("Exact id"), "aria-label": _("Exact id")}

    def where(self) -> ExclusionFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return ExclusionFilter(
            kind=given["kind"], state=given["state"], traders=given["trader"], actor=given["actor"], id=given["id"]
        )

    def asked(self) -> dict[str, str]:
        """The filters of the address, without the place in the list, for links to other pages of it."""
        names = [name for name in self.fields if name != "older"]
        return {name: text for name in names if (text := str(self.data.get(name, "")).strip())}

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", _("%(what)s: all") % {"what": field.label}), *choices]
