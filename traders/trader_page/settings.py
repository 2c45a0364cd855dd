"""A trader's configuration in words: each setting with its unit, what differs from the default marked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.schema.paths import EXTRA, Flat, same
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.declare import Riskier, Setting, SettingGroup, SettingKind
from traders.words import settings as words

_PROMPTS = ("system", "executor")


@dataclass(frozen=True)
class ToldSetting:
    """`is_set`: the value differs from the declared default, or there is no default."""

    path: str
    label: str
    value: SafeString | str
    is_set: bool


@dataclass(frozen=True)
class ToldGroup:
    """The settings of one group."""

    title: str
    lines: list[ToldSetting]


def groups_of(flat: Flat, *, links: bool) -> list[ToldGroup]:
    """In the order of the form. `links`: the account may see prompt texts."""
    grouped: dict[str, list[ToldSetting]] = {str(group): [] for group in SettingGroup}
    for path, value in flat.items():
        setting = TRADER_SETTINGS.get(path)
        if setting is None:
            label = path.removeprefix(f"{EXTRA}.")
            grouped[str(SettingGroup.EXTRA)].append(ToldSetting(path, label, words.value(None, value), is_set=True))
        elif setting.group is not SettingGroup.PROMPTS:
            shown = in_words(setting, value)
            grouped[str(setting.group)].append(ToldSetting(path, _(setting.label), shown, _differs(setting, value)))
    grouped[str(SettingGroup.PROMPTS)] += [_prompt(flat, name, links=links) for name in _PROMPTS]
    return [ToldGroup(_(title), lines) for title, lines in grouped.items() if lines]


def in_words(setting: Setting, value: Any) -> str:
    """As everywhere, with 0 of a limit as what it means."""
    if setting.off_at_zero and isinstance(value, int | Decimal) and value == 0:
        return _("no limit") if setting.riskier is Riskier.HIGHER else _("off")
    return words.value(setting, value)


def _differs(setting: Setting, value: Any) -> bool:
    if setting.kind is SettingKind.DERIVED:
        return False
    return setting.required or not same(value, setting.default)


def _prompt(flat: Flat, name: str, *, links: bool) -> ToldSetting:
    """Path, version and text of a prompt are one choice."""
    path = f"detail.prompts.{name}_template"
    template, version = str(flat[path]), str(flat[f"detail.prompts.{name}_version"] or "")
    digest = flat[f"detail.prompts.{name}_sha256"]
    shown = format_html("{} {}", template, version) if version else format_html("{}", template)
    if digest and links:
        url = reverse("admin:traders_prompttext_change", args=[digest])
        shown = format_html('<a href="{}" title="{}">{}</a>', url, digest, shown)
    elif not digest:
        shown = format_html('{} <span class="faint">{}</span>', shown, _("no text is stored"))
    setting = TRADER_SETTINGS[path]
    return ToldSetting(path, _(setting.label), shown, _differs(setting, flat[path]))
