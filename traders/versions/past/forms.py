"""The filter of the list of traders as of a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from traders.versions.past.queries import Search

_DEFAULT = " default"
"""The value for traders without a model; no model begins with a space."""


class AsOfForm(forms.Form):
    """Call `choices` to fill the selects after the fleet of the moment was read."""

    q = forms.CharField(required=False, max_length=120)
    exchange = forms.CharField(required=False, max_length=200)
    market = forms.CharField(required=False, max_length=200)
    llm = forms.CharField(required=False, max_length=200, strip=False)
    retired = forms.ChoiceField(required=False, choices=[("", ""), ("no", ""), ("yes", "")])
    p = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    def search(self) -> Search:
        """A field that is not valid filters nothing."""
        self.is_valid()
        given = self.cleaned_data
        model = given.get("llm")
        return Search(
            text=given.get("q", ""),
            exchange=given.get("exchange") or None,
            market=given.get("market") or None,
            model="" if model == _DEFAULT else model or None,
            retired={"yes": True, "no": False}.get(given.get("retired", "")),
        )

    @property
    def number(self) -> int:
        return self.cleaned_data.get("p") or 1

    @property
    def asked(self) -> dict[str, str]:
        """For the addresses of further pages."""
        names = [name for name in self.fields if name != "p"]
        return {name: str(self.cleaned_data[name]) for name in names if self.cleaned_data.get(name)}


def selects(asked: Mapping[str, Any], **names: Sequence[str]) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
    """(field, title, [(value, words, chosen)]) for `exchange`, `market`, `llm` and `retired`."""
    titles = {"exchange": _("Exchange"), "market": _("Market"), "llm": _("Model")}
    found = []
    for field, values in names.items():
        options = [(name or _DEFAULT, name or _("default")) for name in sorted(values)]
        found.append((field, titles[field], [(value, text, asked.get(field) == value) for value, text in options]))
    retired = [("no", _("in the fleet")), ("yes", _("retired"))]
    found.append(("retired", _("Retired"), [(value, text, asked.get("retired") == value) for value, text in retired]))
    return found
