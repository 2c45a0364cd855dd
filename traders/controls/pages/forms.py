"""The form of a control: a reason, and what its kind takes beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.controls.preview import ControlPreview
from traders.pages.reason_form import ReasonForm
from traders.schema.controls.rows import OPERATOR, STOPPING_KINDS, ControlKind
from traders.schema.problems import Problem
from traders.words import messages
from traders.words.typed_fields import TypedIntegerField, TypedMinutesField

CLOSE_WORD, RELEASE_WORD = "close all", "release"
EMERGENCY = "emergency"
"""The reason that is filled in. History keeps it: in English whatever the language of the page."""
LONGEST_MINUTES = 30 * 24 * 60
_FIELD_OF = {"until": "minutes", "version": "version", "symbol": "symbol", "cause": "cause"}


class TypedWordField(forms.CharField):
    """A word to be typed, so that a slip does nothing."""

    def __init__(self, word: str, *, required: bool = True) -> None:
        self.word = word
        super().__init__(
            label=format_html(_("To confirm, type: {word}"), word=format_html("<code>{}</code>", word)),
            required=required,
            widget=forms.TextInput(
                attrs={"autocomplete": "off", "autocapitalize": "none", "class": "code", "data-not-kept": True}
            ),
            error_messages={"required": _("Type: %(word)s") % {"word": word}},
        )

    def clean(self, value: Any) -> str:
        typed = " ".join(str(super().clean(value)).split()).casefold()
        if typed not in ("", self.word):
            raise forms.ValidationError(_("Type: %(word)s") % {"word": self.word})
        return typed


class ControlForm(ReasonForm):
    def __init__(self, data: Any, shown: ControlPreview, initial: Any) -> None:
        super().__init__(data)
        self.kind = shown.kind
        if self.kind in STOPPING_KINDS:
            self.fields["reason"].initial = EMERGENCY
        for name, field in _fields_of(shown).items():
            self.fields[name] = field
            if name in initial:
                field.initial = initial[name]

    @property
    def beside(self) -> list[forms.BoundField]:
        """The fields of the kind."""
        return [self[name] for name in self.fields if name != "reason"]

    @property
    def until(self) -> datetime | None:
        """Of a valid form."""
        minutes = self.cleaned_data.get("minutes")
        return timezone.now() + timedelta(minutes=minutes) if minutes else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        word = self.fields.get("word")
        closes_all = self.kind is ControlKind.CLOSE and not given.get("symbol")
        if closes_all and isinstance(word, TypedWordField) and not given.get("word") and "word" not in self.errors:
            self.add_error("word", word.error_messages["required"])
        return given

    def add_problems(self, problems: Iterable[Problem]) -> None:
        rest = []
        for problem in problems:
            name = _FIELD_OF.get(problem.path, "")
            if name in self.fields:
                self.add_error(name, messages.sentence(problem))
            else:
                rest.append(problem)
        super().add_problems(rest)


class FleetControlForm(ReasonForm):
    """`word` is what must be typed; empty: nothing."""

    def __init__(self, data: Any, *, word: str) -> None:
        super().__init__(data)
        if word != RELEASE_WORD:
            self.fields["reason"].initial = EMERGENCY
        if word:
            self.fields["word"] = TypedWordField(word)

    @property
    def beside(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name != "reason"]


def _fields_of(shown: ControlPreview) -> dict[str, forms.Field]:
    kind = shown.kind
    if kind is ControlKind.PAUSE:
        return {"minutes": _minutes(required=False)}
    if kind is ControlKind.RESUME:
        held = shown.held_causes or [OPERATOR]
        choices = [(cause, _("set by people") if cause == OPERATOR else cause) for cause in held]
        return {"cause": forms.ChoiceField(label=gettext_lazy("Which pauses"), choices=choices)}
    if kind is ControlKind.PIN:
        return {"version": TypedIntegerField(label=gettext_lazy("Version"), min_value=1, max_value=2**31 - 1)}
    if kind is ControlKind.CLOSE:
        symbols = sorted({one.symbol for one in shown.positions})
        choices = [("", _("all symbols")), *((symbol, symbol) for symbol in symbols)]
        return {
            "symbol": forms.ChoiceField(label=gettext_lazy("Close"), choices=choices, required=False),
            "keep_trading": forms.BooleanField(
                label=gettext_lazy("Keep trading afterwards"),
                help_text=gettext_lazy("Without it, closing all also pauses until somebody resumes."),
                required=False,
            ),
            "word": TypedWordField(CLOSE_WORD, required=False),
        }
    if kind is ControlKind.COOLDOWN:
        return {"symbol": _symbol(), "minutes": _minutes(required=True)}
    if kind is ControlKind.CLEAR_COOLDOWN:
        symbols = sorted({symbol for trader in shown.traders for symbol in trader.cooldowns})
        choices = [("", _("all symbols")), *((symbol, symbol) for symbol in symbols)]
        return {"symbol": forms.ChoiceField(label=gettext_lazy("Clear"), choices=choices, required=False)}
    return {}


def _minutes(*, required: bool) -> TypedMinutesField:
    return TypedMinutesField(
        label=gettext_lazy("For, min"),
        required=required,
        min_value=1,
        max_value=LONGEST_MINUTES,
        help_text=gettext_lazy("Such as 90, 2 h or 1 d.")
        if required
        else gettext_lazy("Such as 90, 2 h or 1 d. Empty: until a person resumes."),
    )


def _symbol() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Symbol"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "code"}),
    )
