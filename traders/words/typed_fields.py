"""Fields of numbers as people type them: `2,500`, `5 min`, full-width digits. A number input would discard these."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from traders.schema.durations import parse_duration
from traders.words.typed import typed_duration, typed_number

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class TypedIntegerField(forms.IntegerField):
    widget = forms.TextInput(attrs={**_PLAIN, "inputmode": "numeric", "class": "figure"})

    def to_python(self, value: Any) -> Any:
        return super().to_python(typed_number(value) if isinstance(value, str) else value)


class TypedDecimalField(forms.DecimalField):
    widget = forms.TextInput(attrs={**_PLAIN, "inputmode": "decimal", "class": "figure"})

    def to_python(self, value: Any) -> Any:
        return super().to_python(typed_number(value) if isinstance(value, str) else value)


class TypedMinutesField(TypedIntegerField):
    """Whole minutes: `90`, `90 min`, `1 h 30 min` or `2 d`."""

    widget = forms.TextInput(attrs={**_PLAIN, "class": "figure short"})

    def to_python(self, value: Any) -> Any:
        text = typed_duration(str(value or ""))
        if not text or text.lstrip("+-").isdecimal():
            return super().to_python(text)
        try:
            seconds = parse_duration(text)
        except ValueError:
            seconds = -1
        if seconds < 0 or seconds % 60:
            raise ValidationError(_("Write it like 90, 90 min, 1 h 30 min or 2 d: whole minutes."))
        return seconds // 60
