"""The form fields of settings. They turn texts into values; the schema validates them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from traders.schema.paths import Flat
from traders.schema.settings.declare import Applies, Setting, SettingKind
from traders.versions.edit.forms.extra import extra_paths, extra_text
from traders.versions.edit.forms.texts import as_text, from_text
from traders.versions.edit.names import FormChoices

_PARTS = ("template", "version", "sha256")
_NUMERIC = {SettingKind.INTEGER: "numeric", SettingKind.DECIMAL: "decimal"}
_DIGEST = 12


def _help(setting: Setting) -> str:
    """Most changes apply at the next cycle, as the page says once. Those at a restart say so."""
    said = _(setting.help) if setting.help else ""
    if setting.applies is Applies.NEXT_CYCLE:
        return said
    return _("%(help)s A change applies at a restart of the engine.") % {"help": said}


class SettingField(forms.Field):
    """A setting of one path. It raises no error: a wrong text stays a text until the schema validates the whole."""

    def __init__(self, setting: Setting, widget: forms.Widget) -> None:
        super().__init__(label=_(setting.label), help_text=_help(setting), required=False, widget=widget)
        self.setting = setting

    def paths(self) -> tuple[str, ...]:
        return (self.setting.path,)

    def initial_from(self, flat: Mapping[str, Any]) -> Any:
        return as_text(self.setting, flat.get(self.setting.path))

    def values(self, cleaned: Any) -> Flat:
        return {self.setting.path: cleaned}

    def clean(self, value: Any) -> Any:
        return from_text(self.setting, value or "")


class SwitchField(SettingField):
    def initial_from(self, flat: Mapping[str, Any]) -> bool:
        return flat.get(self.setting.path) is True

    def clean(self, value: Any) -> bool:
        return bool(value)


class PromptField(SettingField):
    """Template, version and digest of a prompt, chosen together. An option's value is those three as JSON.

    `stands` is the option of the configuration that the form begins with.
    """

    stands = ""

    def paths(self) -> tuple[str, ...]:
        stem = self.setting.path.removesuffix("template")
        return tuple(stem + part for part in _PARTS)

    def initial_from(self, flat: Mapping[str, Any]) -> str:
        template, version, sha256 = (flat.get(path) for path in self.paths())
        return prompt_option(template, version or "", sha256)[0] if template else ""

    def values(self, cleaned: Any) -> Flat:
        return dict(zip(self.paths(), cleaned, strict=True))

    def clean(self, value: Any) -> tuple[Any, ...]:
        if value and (value == self.stands or value in [option for option, _label in self.widget.choices]):
            return tuple(json.loads(value))
        raise ValidationError(_("Choose one of the stored texts."))


class ExtraField(SettingField):
    def initial_from(self, flat: Mapping[str, Any]) -> str:
        return extra_text(flat)

    def values(self, cleaned: Any) -> Flat:
        return dict(cleaned)

    def clean(self, value: Any) -> Flat:
        try:
            return extra_paths(value or "")
        except ValueError as error:
            raise ValidationError([str(said) for said in error.args]) from None


def field_of(setting: Setting, known: FormChoices, flat: Mapping[str, Any]) -> SettingField:
    """The field of a setting. `flat` is the current configuration: its value stays a choice even if nothing else names
    it."""
    current = flat.get(setting.path)
    if setting.kind is SettingKind.BOOLEAN:
        return SwitchField(setting, forms.CheckboxInput())
    if setting.kind is SettingKind.EXTRA:
        return ExtraField(setting, _area(rows=6, code=True))
    if setting.kind is SettingKind.SYMBOLS:
        return SettingField(setting, _area(rows=2, code=True))
    if setting.kind is SettingKind.LONG_TEXT:
        return SettingField(setting, _area(rows=3))
    if setting.kind is SettingKind.PROMPT:
        return _prompt_field(setting, known, flat)
    if setting.kind is SettingKind.CHOICE:
        return SettingField(setting, _select([(choice, choice) for choice in setting.choices]))
    if setting.kind in (SettingKind.EXCHANGE_PROVIDER, SettingKind.MARKET_PROVIDER):
        names = known.exchange_providers if setting.kind is SettingKind.EXCHANGE_PROVIDER else known.market_providers
        return SettingField(setting, _provider(names, current))
    return SettingField(setting, _line(setting))


def prompt_option(template: str, version: str, sha256: str | None) -> tuple[str, str]:
    """An option's value and its words."""
    label = " · ".join(part for part in (template, version, (sha256 or "")[:_DIGEST]) if part)
    return json.dumps([template, version, sha256], separators=(",", ":"), ensure_ascii=False), label


def _prompt_field(setting: Setting, known: FormChoices, flat: Mapping[str, Any]) -> PromptField:
    field = PromptField(setting, _select([]))
    template, version, sha256 = (flat.get(path) for path in field.paths())
    own = prompt_option(template, version or "", sha256) if template else ("", _("Choose a text"))
    field.stands = own[0]

    def options() -> list[tuple[str, str]]:
        stored = dict(prompt_option(text.path, text.version, text.sha256) for text in known.prompts)
        return list(({**stored, own[0]: own[1]} if template else {own[0]: own[1], **stored}).items())

    field.widget.choices = options
    return field


def _provider(names: Sequence[str], current: Any) -> forms.Widget:
    if not current and not names:
        return forms.TextInput(attrs={"autocomplete": "off"})

    def options() -> list[tuple[str, str]]:
        if not current:
            return [("", _("Choose a provider")), *((name, name) for name in names)]
        return [(name, name) for name in ([*names] if current in names else [current, *names])]

    return _select(options)


def _select(options: Any) -> forms.Select:
    """`options` are pairs of value and words, or a function that gives them when they are needed."""
    return forms.Select(choices=options)


def _area(*, rows: int, code: bool = False) -> forms.Textarea:
    return forms.Textarea(
        attrs={"rows": rows, "spellcheck": "false" if code else "true"} | ({"class": "code"} if code else {})
    )


def _line(setting: Setting) -> forms.TextInput:
    """A text input, for numbers too: a number input would discard a typing error such as `20x`."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if setting.kind in _NUMERIC or setting.kind is SettingKind.DURATION:
        attrs["class"] = "figure"
    if setting.kind in _NUMERIC and (setting.minimum is None or setting.minimum >= 0):
        attrs["inputmode"] = _NUMERIC[setting.kind]
    if setting.kind is SettingKind.MODEL:
        attrs["list"] = "known-models"
    return forms.TextInput(attrs=attrs)
