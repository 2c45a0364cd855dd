"""The keys that an entry of manager.yaml may have, from the schema's declarations, and messages about others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from traders.manager_yaml.yaml.mappings import describe
from traders.manager_yaml.yaml.nodes import Scalar
from traders.manager_yaml.yaml.scalars import READERS, Reader, WrongValue, read_text
from traders.schema.messages import TranslatableText, _
from traders.schema.problems import expected
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting, SettingKind

CLONED_FROM = "detail.cloned_from"
ORIGIN = _("a mapping of trader_id and version")


@dataclass(frozen=True, slots=True)
class YamlLeaf:
    path: str
    setting: Setting
    read: Reader


Shape = dict[str, "YamlLeaf | Shape"]
"""{key: one setting, or the keys of a section}."""


def shape_of(settings: Mapping[str, Setting]) -> Shape:
    shape: Shape = {}
    for setting in settings.values():
        if setting.yaml_key:
            *sections, key = setting.yaml_key.split(".")
            place = shape
            for section in sections:
                inner = place.setdefault(section, {})
                assert isinstance(inner, dict)
                place = inner
            place[key] = YamlLeaf(setting.path, setting, _reader(setting))
    return shape


def what_fits(setting: Setting) -> TranslatableText:
    return ORIGIN if setting.path == CLONED_FROM else expected(setting)


def _refuse(node: Scalar, setting: Setting) -> None:
    raise WrongValue(_("must be %(right)s, was %(value)s", right=what_fits(setting), value=describe(node)))


def _reader(setting: Setting) -> Reader:
    if setting.kind in (SettingKind.EXTRA, SettingKind.SYMBOLS) or setting.path == CLONED_FROM:
        return _refuse
    return READERS.get(setting.kind, read_text)


TRADER_SHAPE = shape_of(TRADER_SETTINGS)
FLEET_SHAPE = shape_of(FLEET_SETTINGS)


def yaml_path(path: str, settings: Mapping[str, Setting]) -> str:
    """A dotted path of the schema as the dotted key of the file: `detail.risk.max_positions` -> `risk_params...`."""
    if path in settings:
        return settings[path].yaml_key or _PROMPT_OF.get(path, "")
    path = path.removeprefix("detail.")
    head, dot, rest = path.partition(".")
    return f"{_SECTION_KEYS.get(head, head)}{dot}{rest}"


_PROMPT_OF = {
    f"detail.prompts.{role}_{part}": key
    for role, key in (("system", "prompt_template"), ("executor", "executor_prompt_template"))
    for part in ("version", "sha256")
}
_SECTION_KEYS = {
    setting.path.split(".")[1]: setting.yaml_key.split(".")[0]
    for setting in TRADER_SETTINGS.values()
    if "." in setting.yaml_key
}


# {what other versions of the system call a setting: its name here}
RENAMED = {
    **dict.fromkeys(
        ("btc_eth_leverage", "btceth_leverage", "btc_leverage", "major_leverage", "majors_leverage"),
        "major_coin_leverage",
    ),
    **dict.fromkeys(("alt_leverage", "alts_leverage", "altcoins_leverage", "alt_coin_leverage"), "altcoin_leverage"),
    **dict.fromkeys(("min_risk_reward", "risk_reward_ratio", "min_rr"), "min_risk_reward_ratio"),
    **dict.fromkeys(("max_margin_usage", "max_margin_used_pct", "margin_usage_pct"), "max_margin_usage_pct"),
    **dict.fromkeys(("max_position_size", "position_size_usd"), "max_position_size_usd"),
    **dict.fromkeys(("scan_interval", "interval", "scan_interval_minutes"), "decision_interval"),
    **dict.fromkeys(("ai_model", "llm_model", "model_name", "llm"), "model"),
    **dict.fromkeys(("system_prompt", "system_prompt_template"), "prompt_template"),
    **dict.fromkeys(("executor_prompt",), "executor_prompt_template"),
    **dict.fromkeys(("exchange", "exchange_id"), "exchange_provider"),
    **dict.fromkeys(("market", "market_data"), "market_provider"),
    **dict.fromkeys(("allocation", "allocation_percent"), "allocation_pct"),
    **dict.fromkeys(("slippage_bps", "slippage"), "market_ioc_slippage_bps"),
}


def unknown_key(key: str, *, here: Iterable[str], whole: Shape, section: str) -> TranslatableText:
    """The message about an undeclared key: its right place, a similar name, or `extra`.

    `here`: the keys known at this place; `section`: the key of its section, "" for the entry itself.
    """
    if section and key in whole:
        return _("is not a known setting of %(section)s; it belongs one level up, beside %(section)s:", section=section)
    for name, inner in whole.items():
        if isinstance(inner, dict) and key in inner:
            return _("is not a known setting here; it belongs under %(name)s:", name=name)
    if (now := RENAMED.get(key.lower())) is not None:
        if now in here:
            return _("is not a known setting; did you mean %(name)s?", name=now)
        if place := next((name for name, inner in whole.items() if isinstance(inner, dict) and now in inner), ""):
            return _("is not a known setting; did you mean %(name)s, under %(place)s:?", name=now, place=place)
    folded = {name.lower(): name for name in here}
    if close := difflib.get_close_matches(key[:100].lower(), folded, n=1, cutoff=0.7):
        return _("is not a known setting; did you mean %(name)s?", name=folded[close[0]])
    return _("is not a known setting; settings of your own go under extra:")
