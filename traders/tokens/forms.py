"""The form of a new API token: name, scopes, traders and expiry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.schema.problems import Problem
from traders.schema.tokens import Scope
from traders.words import messages

SCOPES = {
    Scope.READ_CONFIG: gettext_lazy("reads the settings of traders and fleet, their versions and prompts"),
    Scope.WRITE_CONFIG: gettext_lazy("makes and changes traders, restores their versions"),
    Scope.WRITE_FLEET: gettext_lazy("changes the fleet settings, restores their versions"),
    Scope.CONTROL: gettext_lazy("starts, stops, pauses, closes and pins traders; stops and releases the fleet"),
    Scope.STOP: gettext_lazy("stops, drains and pauses traders; stops the fleet"),
    Scope.WRITE_CORRECTIONS: gettext_lazy("corrects figures of trades"),
    Scope.WRITE_JOURNAL: gettext_lazy("records decisions and their messages"),
    Scope.WRITE_STATE: gettext_lazy("reports running traders; records positions, trades, equity, cooldowns and prices"),
}
ON_A_DATE = "date"
LASTS = [
    ("", gettext_lazy("until it is revoked")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("1 year")),
    (ON_A_DATE, gettext_lazy("until the end of this day:")),
]
SOME = "some"
REACHES = [
    ("", gettext_lazy("all traders, those made later too")),
    (SOME, gettext_lazy("these only; it sees no others:")),
]
MOST_BOXES = 60
"""More traders than this are named in a field instead of ticked."""
_FIELD_OF = {"name": "name", "scopes": "scopes", "expires_at": "until", "traders": "traders"}


class TokenForm(forms.Form):
    """`form_id` says which opened form was sent, so that the same one sent again makes no second token.

    `known` are the ids of the traders that can be ticked; with more than MOST_BOXES the field takes ids as text.
    """

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
    reach = forms.ChoiceField(
        label=gettext_lazy("For"), choices=REACHES, required=False, widget=forms.RadioSelect, initial=""
    )
    form_id = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, form_id: str = "", known: Sequence[str] = ()) -> None:
        super().__init__(data, auto_id="f-%s", initial={"form_id": form_id})
        self.has_boxes = len(known) <= MOST_BOXES
        self.fields["traders"] = _boxes(known) if self.has_boxes else _ids()

    @property
    def trader_ids(self) -> list[str] | None:
        """Of a valid form; None: all traders."""
        return self._named() if self.cleaned_data["reach"] == SOME else None

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
            self.add_error(
                "until",
                _("Choose the day.") if on_a_date else _("Choose “until the end of this day”, or no day."),
            )
        only_some = self.cleaned_data.get("reach") == SOME
        if "traders" in self.cleaned_data and only_some != bool(self._named()):
            said = _("Name at least one trader.") if only_some else _("Name no traders, or choose “these only”.")
            self.add_error("traders", said)
        return self.cleaned_data

    def _named(self) -> list[str]:
        found = self.cleaned_data["traders"]
        return (
            list(dict.fromkeys(re.split(r"[\s,;]+", found.strip()) if found else []))
            if isinstance(found, str)
            else found
        )

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add_error(_FIELD_OF[problem.path], messages.sentence(problem))


def _boxes(known: Sequence[str]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Traders"),
        choices=[(name, name) for name in known],
        required=False,
        error_messages={"invalid_choice": _("There is no trader %(value)s.")},
        widget=forms.CheckboxSelectMultiple,
    )


def _ids() -> forms.CharField:
    return forms.CharField(
        label=_("Ids of traders, separated by blanks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"}),
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, timezone.get_current_timezone())
