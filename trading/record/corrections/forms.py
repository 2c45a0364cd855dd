"""The values of a row that a person corrects: a field for each that its kind offers, and lines for all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from traders.pages.reason_form import ReasonForm
from traders.schema import jsonio
from traders.words.messages import translated, with_unit
from traders.words.typed_fields import TypedDecimalField, TypedIntegerField
from trading.record.corrections.rules import CORRECTABLE, RowFigures
from trading.schema.common import Side
from trading.schema.exclusion import RecordKind
from trading.schema.leaf import Leaf, LeafKind

OTHERS = "others"
_SIDES = [(Side.LONG.value, gettext_lazy("long")), (Side.SHORT.value, gettext_lazy("short"))]
_WHOLE = frozenset({LeafKind.COUNT, LeafKind.VERSION})
_WORDS = frozenset({LeafKind.TEXT, LeafKind.LONG_TEXT, LeafKind.IDENTIFIER})


class CorrectionForm(ReasonForm):
    """Fields are named by their paths, with `_` for the dots."""

    def __init__(self, data: Any, kind: RecordKind, row: RowFigures) -> None:
        super().__init__(data)
        self._row = row
        declared = CORRECTABLE[kind]
        self._paths = {path.replace(".", "_"): path for path in declared.offered if self._is_there(path)}
        reason = self.fields.pop("reason")
        for name, path in self._paths.items():
            self.fields[name] = _field(declared.leaves[path])
            self.initial[name] = row.value_at(path)
        self.fields[OTHERS] = forms.CharField(
            label=gettext_lazy("Other values"),
            required=False,
            widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "fills[0].price = 64000.5"}),
            help_text=gettext_lazy("One a line: path = value; null takes a value away."),
        )
        self.fields["reason"] = reason

    def clean_others(self) -> dict[str, Any]:
        """{path: value} of its lines."""
        found: dict[str, Any] = {}
        for line in self.cleaned_data[OTHERS].splitlines():
            if line.strip():
                path, value = assignment(line)
                if not path:
                    raise forms.ValidationError(gettext("Write path = value, not “%(line)s”.") % {"line": line.strip()})
                found[path] = value
        return found

    def changes(self) -> dict[str, Any]:
        """What differs from the row, by path."""
        given = self.cleaned_data
        found = {path: _none_if_empty(given[name]) for name, path in self._paths.items()}
        changed = {path: value for path, value in found.items() if value != self._row.value_at(path)}
        others: Mapping[str, Any] = given[OTHERS]
        return {**changed, **others}

    def _is_there(self, path: str) -> bool:
        """Leaves of a part that the row has not are not offered: an open position has no close."""
        part = path.rpartition(".")[0]
        return not part or self._row.value_at(part) is not None


def assignment(text: str) -> tuple[str, Any]:
    """`pnl.net = -12.5` -> path and value: as JSON where it is JSON. The path is empty where there is none."""
    path, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        return "", None
    try:
        return path, jsonio.loads(value)
    except ValueError:
        return path, value


def _field(leaf: Leaf) -> forms.Field:
    label = with_unit(translated(leaf.label), translated(leaf.unit))
    if leaf.path.endswith("side"):
        return forms.ChoiceField(label=label, choices=_SIDES)
    if leaf.kind is LeafKind.FLAG:
        return forms.BooleanField(label=label, required=False)
    figure = forms.TextInput(attrs={"class": "figure", "inputmode": "decimal", "autocomplete": "off"})
    if leaf.kind in _WHOLE:
        return TypedIntegerField(label=label, required=False, widget=figure)
    if leaf.kind in _WORDS:
        return forms.CharField(label=label, required=False)
    return TypedDecimalField(label=label, required=False, widget=figure)


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value
