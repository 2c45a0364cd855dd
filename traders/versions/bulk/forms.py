"""The typed operations of a bulk edit: a setting, an operation, and a value that the setting's own field reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from traders.pages.reason_form import ReasonForm
from traders.schema.problems import Problem
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.declare import Setting, SettingGroup, SettingKind
from traders.versions.bulk.rules import BulkVerb, Operation, is_numeric
from traders.versions.edit.forms.fields import SettingField, SwitchField, field_of
from traders.versions.edit.forms.texts import number_from
from traders.versions.edit.names import FormChoices
from traders.words import messages
from traders.words import settings as words

ADD = "add"
MOST = 20
_PATH = re.compile(r"op-(\d{1,3})-path")
_BY_NUMBER = (BulkVerb.TIMES, BulkVerb.PERCENT)


@dataclass(frozen=True)
class OperationRow:
    """One operation on the page."""

    number: int
    setting: Setting
    label: str
    allowed: str
    unit: str
    do: BoundField
    value: BoundField


class BulkForm(ReasonForm):
    """Fields `op-N-path`, `op-N-do`, `op-N-value` for each operation, and the reason.

    `is_asked` makes errors show; without it the form only carries what was typed.
    """

    def __init__(self, data: Mapping[str, Any], *, known: FormChoices, is_asked: bool, add: str = "") -> None:
        super().__init__(data if is_asked else None)
        self.initial = dict(data.items())
        self.paths = _paths(data)
        if add in bulk_settings() and len(self.paths) < MOST:
            self.paths[max(self.paths, default=-1) + 1] = add
        for number, path in self.paths.items():
            setting = TRADER_SETTINGS[path]
            self.fields[f"op-{number}-do"] = _do_field(setting)
            self.fields[f"op-{number}-value"] = _value_field(setting, known)

    @property
    def rows(self) -> list[OperationRow]:
        return [self._row(number, TRADER_SETTINGS[path]) for number, path in self.paths.items()]

    @property
    def operations(self) -> list[Operation]:
        """The operations in order. Only for a valid form."""
        return list(self.cleaned_data["operations"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.paths:
            self.add_error(None, _("Choose at least one setting to change."))
        cleaned["operations"] = [
            operation
            for number in self.paths
            if f"op-{number}-value" in cleaned and f"op-{number}-do" in cleaned
            for operation in self._operations(number, cleaned)
        ]
        return cleaned

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Each problem at the value that is wrong for every trader."""
        rest = []
        for problem in problems:
            number = next((n for n, path in self.paths.items() if problem.path == path), None)
            if number is None:
                rest.append(problem)
            else:
                self.add_error(f"op-{number}-value", messages.sentence(problem))
        super().add_problems(rest)

    def _operations(self, number: int, cleaned: Mapping[str, Any]) -> list[Operation]:
        path, value, do = self.paths[number], cleaned[f"op-{number}-value"], BulkVerb[cleaned[f"op-{number}-do"]]
        field: Any = self.fields[f"op-{number}-value"]
        if do is BulkVerb.SET:
            operations = [Operation(name, do, taken) for name, taken in field.values(value).items()]
            if not operations:
                self.add_error(f"op-{number}-value", _("Give at least one key."))
            return operations
        amount = number_from(self.data.get(f"op-{number}-value", "")) if do in _BY_NUMBER else value
        if wrong := _wrong_amount(do, amount):
            self.add_error(f"op-{number}-value", wrong)
            return []
        return [Operation(path, do, amount)]

    def _row(self, number: int, setting: Setting) -> OperationRow:
        return OperationRow(
            number=number,
            setting=setting,
            label=words.place(TRADER_SETTINGS, setting.path),
            allowed=words.allowed(setting),
            unit="" if setting.kind is SettingKind.DURATION else _(setting.unit) if setting.unit else "",
            do=self[f"op-{number}-do"],
            value=self[f"op-{number}-value"],
        )


def bulk_settings() -> dict[str, Setting]:
    """The settings that many traders can be given at once."""
    return {path: setting for path, setting in TRADER_SETTINGS.items() if setting.kind is not SettingKind.DERIVED}


def setting_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """[(group, [(path, label)])] for a select."""
    settings = bulk_settings().values()
    grouped = [(_(group), [(s.path, _(s.label)) for s in settings if s.group == group]) for group in SettingGroup]
    return [(title, options) for title, options in grouped if options]


def _paths(data: Mapping[str, Any]) -> dict[int, str]:
    """{number of an operation: its path}, in order; paths that are no setting are left out."""
    found = {}
    for name in data:
        matched = _PATH.fullmatch(name)
        if matched and data[name] in bulk_settings():
            found[int(matched[1])] = data[name]
    return dict(sorted(found.items())[:MOST])


def _do_field(setting: Setting) -> forms.ChoiceField:
    doable = list(BulkVerb) if is_numeric(setting) else [BulkVerb.SET]
    return forms.ChoiceField(
        choices=[(do.name, _(do.value)) for do in doable],
        initial=BulkVerb.SET.name,
        label=_("What to do with %(setting)s") % {"setting": _(setting.label)},
    )


def _value_field(setting: Setting, known: FormChoices) -> SettingField:
    field = field_of(setting, known, {})
    if isinstance(field, SwitchField):
        # Off must be chosen like on: an empty box would say nothing.
        field.widget = forms.Select(choices=[("on", _("on")), ("", _("off"))])
    return field


def _wrong_amount(do: BulkVerb, amount: Any) -> str:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return _("Must be a number, such as %(example)s.") % {
            "example": {BulkVerb.TIMES: "0.5", BulkVerb.PERCENT: "-20"}.get(do, "5")
        }
    if do is BulkVerb.TIMES and amount < 0:
        return _("Must be 0 or more.")
    if do is BulkVerb.PERCENT and amount < -100:
        return _("Must be -100 or more.")
    return ""
