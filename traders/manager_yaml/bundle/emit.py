"""Configurations as YAML text that readers of YAML 1.1 and 1.2 read as the same values."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml
from yaml import MappingNode, ScalarNode, SequenceNode

from traders.manager_yaml.bundle.placement import KNOWN_AS, Placement
from traders.schema.durations import format_duration
from traders.schema.paths import flatten
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting, SettingKind
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec

_Dumper: Any = getattr(yaml, "CDumper", yaml.Dumper)
_RESOLVER: Any = yaml.resolver.Resolver()
_TEXT, _MAP, _SEQ = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))
_NO_FOLDING = 2**30

# Words that every reader reads as a text. Texts that begin with a digit, sign or dot are quoted.
_BARE = re.compile(r"(?:\.{1,2}/)?[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_TAKEN_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_BLOCK = re.compile(r"(?! )[^\n]*[^\n ](?:\n+[^\n]*[^\n ])+")

_ENTRY_ORDER = (
    *("id", "name", "description", "exchange_provider", "market_provider", "order_style", "market_ioc_slippage_bps"),
    *("prompt_template", f"prompt_template{KNOWN_AS}"),
    *("executor_prompt_template", f"executor_prompt_template{KNOWN_AS}"),
    *(
        "model",
        "decision_interval",
        "allocation_pct",
        "auto_start",
        "retired",
        "journal_enabled",
        "journal_dir",
        "cloned_from",
        "risk_params",
        "exec_guards",
        "extra",
    ),
)
_EXTRA = "detail.extra."
_LEFT_OUT_WHEN_EMPTY = frozenset({"description", "retired", "cloned_from", "extra"})


def fleet_sections(fleet: FleetSpec) -> dict[str, str]:
    """`manager`, `monitoring` and, unless empty, `extra`: the text of each top-level section."""
    tree = _tree(flatten(fleet.model_dump()), FLEET_SETTINGS, defaults=True)
    return {key: _serialized({key: value}) for key, value in tree.items()}


def trader_entry(trader: TraderSpec, placement: Placement, *, defaults: bool) -> str:
    """One item of the list of traders, each setting written out; without `defaults` only those that differ."""
    flat = flatten(trader.model_dump())
    tree = {"id": _text(trader.id), **_tree(flat, TRADER_SETTINGS, defaults=defaults)}
    for role, key in (("system", "prompt_template"), ("executor", "executor_prompt_template")):
        path = flat[f"detail.prompts.{role}_template"]
        file = placement.file_of[path, flat[f"detail.prompts.{role}_sha256"]]
        if file != path:
            tree |= {key: file, key + KNOWN_AS: path}
    return _serialized([dict(sorted(tree.items(), key=_rank))])


def _rank(item: tuple[str, Any]) -> int:
    return _ENTRY_ORDER.index(item[0]) if item[0] in _ENTRY_ORDER else len(_ENTRY_ORDER)


def _tree(flat: dict[str, Any], settings: dict[str, Setting], *, defaults: bool) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    extra: Any = {path.removeprefix(_EXTRA): value for path, value in flat.items() if path.startswith(_EXTRA)}
    for path, setting in settings.items():
        value: Any = extra if setting.kind is SettingKind.EXTRA else flat[path]
        empty = value in (None, "", False, {})
        if not setting.yaml_key or (empty and setting.yaml_key in _LEFT_OUT_WHEN_EMPTY):
            continue
        if not defaults and value == setting.default:
            continue
        *sections, key = setting.yaml_key.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = _plain(format_duration(value)) if setting.kind is SettingKind.DURATION else value
    return tree


def _serialized(tree: Any) -> str:
    return str(yaml.serialize(_node(tree), Dumper=_Dumper, allow_unicode=True, width=_NO_FOLDING, indent=2))


def _node(value: Any) -> yaml.Node:
    if isinstance(value, yaml.Node):
        return value
    if isinstance(value, dict):
        pairs = [(_text(key), _node(item)) for key, item in value.items()]
        return MappingNode(_MAP, pairs, flow_style=not pairs)
    if isinstance(value, list):
        return SequenceNode(_SEQ, [_node(item) for item in value], flow_style=not value)
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return _plain("null")
    if isinstance(value, bool):
        return _plain("true" if value else "false")
    return _plain(f"{value:f}" if isinstance(value, Decimal) and value else str(int(value)))


def _plain(text: str) -> ScalarNode:
    """A bare scalar. Its tag is the one that the emitter resolves, so that no tag is written."""
    return ScalarNode(_tag(text), text)


@lru_cache(maxsize=4096)
def _tag(text: str) -> str:
    return str(_RESOLVER.resolve(ScalarNode, text, (True, False)))


def _text(text: str) -> ScalarNode:
    if _BARE.fullmatch(text) and text.lower() not in _TAKEN_WORDS:
        return ScalarNode(_TEXT, text)
    if text.isprintable() or not _BLOCK.fullmatch(text) or not text.replace("\n", "").isprintable():
        return ScalarNode(_TEXT, text, style='"')
    return ScalarNode(_TEXT, text, style="|")
