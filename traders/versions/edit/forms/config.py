"""The form of one configuration, generated from its declared settings: a trader's or the fleet's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from traders.models import TraderConfig
from traders.schema.paths import EXTRA, Flat, diff
from traders.schema.problems import Problem
from traders.schema.settings.declare import REQUIRED, Setting, SettingGroup, SettingKind
from traders.schema.settings.trader import ID_RULE
from traders.versions.edit.forms.extra import without_extra
from traders.versions.edit.forms.fields import SettingField, field_of
from traders.versions.edit.names import FormChoices
from traders.words import messages
from traders.words import settings as words
from traders.words.messages import translated

NEW_ID = "id"
REASON = "reason"
VERSION = "expected_version"


@dataclass(frozen=True)
class SettingLine:
    """One setting on the page: its input, its allowed values, and its value before."""

    bound: BoundField
    setting: Setting
    allowed: str
    unit: str
    began: str
    was: str
    changed: bool


@dataclass(frozen=True)
class FormSection:
    """One group of the form."""

    key: str
    title: str
    lines: tuple[SettingLine, ...]

    @property
    def changed(self) -> bool:
        return any(line.changed for line in self.lines)

    @property
    def wrong(self) -> bool:
        return any(line.bound.errors for line in self.lines)


class ConfigForm(forms.ModelForm):  # type: ignore[type-arg]
    """The fields are the declared settings, by their paths. `base` is the configuration that the edit starts from,
    flat; for a new trader it holds the defaults. `stock` are further arguments of a ModelForm."""

    class Meta:
        model = TraderConfig
        fields = ()

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        settings: Mapping[str, Setting],
        base: Flat,
        known: FormChoices,
        adding: bool = False,
        **stock: Any,
    ) -> None:
        super().__init__(data, files, auto_id="f-%s", **stock)
        self.settings, self.base, self.known = settings, base, known
        if adding:
            self.fields[NEW_ID] = _id_field()
        for setting in settings.values():
            if setting.kind is not SettingKind.DERIVED:
                field = field_of(setting, known, base)
                field.initial = field.initial_from(base)
                self.fields[setting.path] = field
        self.fields[REASON] = forms.CharField(
            label=_("Reason"), error_messages={"required": _("Say why, in a few words.")}, widget=_reason_input()
        )

    def _post_clean(self) -> None:
        """Writes nothing to the instance: the service validates the whole configuration and saves it."""

    def flat(self) -> Flat:
        """The whole typed configuration. A field that cannot be read has its value of before."""
        typed = without_extra(self.base)
        for name, field in self.setting_fields():
            typed |= field.values(self.cleaned_data[name]) if name in self.cleaned_data else self._before(field)
        return typed

    def add_further_problems(self, problems: Iterable[Problem]) -> None:
        """Those of other places than the fields that cannot be read."""
        self.add_problems([problem for problem in problems if self._field_at(problem) not in self.errors])

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Adds each problem to its field. Others go to the top of the form, with their path."""
        for problem in problems:
            name = self._field_at(problem)
            on_top = f"{problem.path} {messages.translated(problem.message)}".strip()
            self.add_error(name, messages.sentence(problem) if name else on_top)

    def parts(self) -> list[FormSection]:
        """The groups in their order, each with its lines."""
        lines = [self._line(name, field) for name, field in self.setting_fields()]
        grouped = [
            FormSection(group.name.lower(), _(group), tuple(line for line in lines if line.setting.group == group))
            for group in SettingGroup
        ]
        return [part for part in grouped if part.lines]

    def first_wrong(self) -> str:
        """The name of the first field with an error, in the order of the page."""
        names = [NEW_ID, *(line.bound.name for part in self.parts() for line in part.lines), REASON]
        return next((name for name in names if name in self.errors), "")

    def focus_first_wrong(self) -> None:
        if name := self.first_wrong():
            self.fields[name].widget.attrs["autofocus"] = True

    def setting_fields(self) -> Iterator[tuple[str, SettingField]]:
        for name, field in self.fields.items():
            if isinstance(field, SettingField):
                yield name, field

    def _line(self, name: str, field: SettingField) -> SettingLine:
        setting = field.setting
        return SettingLine(
            bound=self[name],
            setting=setting,
            allowed=words.allowed(setting),
            unit="" if setting.kind is SettingKind.DURATION else _(setting.unit) if setting.unit else "",
            began=_as_script(field.initial),
            was=self._was(field),
            changed=self.is_bound and self._is_changed(name, field),
        )

    def _was(self, field: SettingField) -> str:
        shown = [
            words.value(self.settings.get(path), self.base.get(path)) for path in field.paths() if path in self.base
        ]
        return " · ".join(shown)

    def _is_changed(self, name: str, field: SettingField) -> bool:
        if name in self.errors and name not in self.cleaned_data:
            return bool(self[name].value() != self[name].initial)
        return bool(diff(self._before(field), field.values(self.cleaned_data[name])))

    def _before(self, field: SettingField) -> Flat:
        below = f"{field.setting.path}."
        return {path: value for path, value in self.base.items() if path in field.paths() or path.startswith(below)}

    def _field_at(self, problem: Problem) -> str | None:
        """A rule between fields has their section's path, and a message that begins with the first field's name."""
        for name in (problem.path, f"{problem.path}.{problem.message.partition(' ')[0]}"):
            if name in self.fields:
                return name
        if problem.path.startswith(EXTRA):
            return EXTRA
        return next((name for name, field in self.setting_fields() if problem.path in field.paths()), None)


def fieldsets(settings: Mapping[str, Setting], *, adding: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """The groups of the settings as a ModelAdmin names them, the reason last."""
    shown = [setting for setting in settings.values() if setting.kind is not SettingKind.DERIVED]
    grouped = [(_(group), [setting.path for setting in shown if setting.group == group]) for group in SettingGroup]
    named = [(title, {"fields": paths}) for title, paths in grouped if paths]
    head = [(_("New trader"), {"fields": [NEW_ID]})] if adding else []
    return [*head, *named, (_("Reason"), {"fields": [REASON]})]


def defaults(settings: Mapping[str, Setting]) -> Flat:
    """The defaults of a new configuration; settings without a default are left out."""
    return {
        path: setting.default
        for path, setting in settings.items()
        if setting.default is not REQUIRED and setting.kind is not SettingKind.EXTRA
    }


def _as_script(initial: object) -> str:
    """The first value as control.js reads the input's."""
    return str(initial).lower() if isinstance(initial, bool) else str(initial)


def _id_field() -> forms.CharField:
    return forms.CharField(
        label=_("Id"),
        help_text=_("%(rule)s. It stays for good.") % {"rule": capfirst(translated(ID_RULE))},
        error_messages={"required": _("Give the trader an id: %(rule)s.") % {"rule": translated(ID_RULE)}},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "code"}),
    )


def _reason_input() -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "maxlength": 1000, "placeholder": _("Why this change?")})


def posted(form: ConfigForm, flat: Flat) -> dict[str, str]:
    """The data that a browser would post from a form that shows `flat`."""
    shown = {name: field.initial_from(flat) for name, field in form.setting_fields()}
    return {name: "on" if value is True else value for name, value in shown.items() if value is not False}
