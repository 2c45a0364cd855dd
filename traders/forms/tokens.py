"""A new API token: what it is called, what it may do, and how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.schema.problems import Problem
from traders.schema.tokens import Scope

SCOPES = {
    Scope.READ_CONFIG: gettext_lazy("reads the settings of traders and fleet, their versions and prompts"),
    Scope.WRITE_CONFIG: gettext_lazy("makes and changes traders, changes the fleet settings, restores versions"),
    Scope.WRITE_JOURNAL: gettext_lazy("records decisions, and what was said with them"),
    Scope.WRITE_STATE: gettext_lazy("reports running traders; records positions, trades, equity, cooldowns and prices"),
}
ON_A_DATE = "date"
LASTS = [
    ("", gettext_lazy("until it is revoked")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("1 year")),
    (ON_A_DATE, gettext_lazy("until the end of this day, UTC:")),
]
_FIELD_OF = {"name": "name", "scopes": "scopes", "expires_at": "until"}


class TokenForm(forms.Form):
    """`form_id` says which opened form was sent, so that the same one sent again makes no second token."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy(
            "Which engine or tool it is for, such as engine-1. History shows what it does as token:engine-1."
        ),
        error_messages={"required": gettext_lazy("Give the token a name, such as engine-1.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": 64, "class": "code", "autofocus": True}
        ),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(scope.value, words) for scope, words in SCOPES.items()],
        error_messages={"required": gettext_lazy("Tick at least one: a token that may do nothing is of no use.")},
        widget=forms.CheckboxSelectMultiple,
    )
    lasts = forms.ChoiceField(
        label=gettext_lazy("It holds"), choices=LASTS, required=False, widget=forms.RadioSelect, initial=""
    )
    until = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        error_messages={"invalid": gettext_lazy("Write the day like 2026-11-30.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    form_id = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, form_id: str = "") -> None:
        super().__init__(data, auto_id="f-%s", initial={"form_id": form_id})

    @property
    def expires_at(self) -> datetime | None:
        """Of a valid form; None: it does not expire."""
        lasts, day = self.cleaned_data["lasts"], self.cleaned_data["until"]
        if lasts == ON_A_DATE:
            return _end_of(day)
        return timezone.now() + timedelta(days=int(lasts)) if lasts else None

    def clean(self) -> dict[str, Any]:
        """What is said twice and differently is asked again: a token must not outlive what was meant."""
        on_a_date = self.cleaned_data.get("lasts") == ON_A_DATE
        if "until" in self.cleaned_data and on_a_date != bool(self.cleaned_data["until"]):
            self.add_error("until", _("Choose the day.") if on_a_date else _("Leave the day empty, or choose it."))
        return self.cleaned_data

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add_error(_FIELD_OF[problem.path], capfirst(problem.message) + ".")


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)
