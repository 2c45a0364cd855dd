"""An entry of `traders:` as an engine keeps it in a database: JSON with the keys of manager.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from traders.manager_yaml.section import read_section
from traders.manager_yaml.shape import TRADER_SHAPE
from traders.manager_yaml.yaml import nodes
from traders.manager_yaml.yaml.collect import Problems, YamlPlace
from traders.manager_yaml.yaml.mappings import entries
from traders.schema import jsonio
from traders.schema.paths import Flat, unflatten
from traders.schema.problems import InvalidConfig
from traders.schema.settings.trader import TraderSpec
from traders.schema.settings.validate import validate_trader

# Where an engine has read a prompt; manager.yaml names it from `prompts/` on.
_PROMPTS = re.compile(r"(?:^|[\\/])(prompts[\\/].+)$")
_PROMPT_KEYS = ("prompt_template", "executor_prompt_template")
# Written beside a duration for the engine itself, as nanoseconds.
_DERIVED = "_duration"
# How Go writes what a file leaves out.
_UNSET: tuple[Any, ...] = ("", 0, None)


def read_entry(trader_id: str, entry: Mapping[str, Any]) -> TraderSpec:
    """What Go writes for a setting that the file leaves out counts as left out, where it is no valid value. Raises
    InvalidConfig."""
    known = {key: _portable(key, value) for key, value in _without_derived(entry).items() if key != "id"}
    problems = Problems()
    root = nodes.compose(jsonio.dumps(known))
    assert isinstance(root, nodes.Mapping)
    place = YamlPlace(problems, trader_id)
    flat: Flat = {}
    read_section(entries(_set_only(root), place), TRADER_SHAPE, flat, place)
    if problems.found:
        raise InvalidConfig(problems.found)
    return _valid(trader_id, flat)


def _valid(trader_id: str, flat: Flat) -> TraderSpec:
    while True:
        try:
            return validate_trader(trader_id, _nested(flat), before=flat)
        except InvalidConfig as error:
            unset = {problem.path for problem in error.problems if flat.get(problem.path, object()) in _UNSET}
            if not unset:
                raise
            flat = {path: value for path, value in flat.items() if path not in unset}


def _nested(flat: Flat) -> dict[str, Any]:
    nested = unflatten(flat)
    detail = nested.setdefault("detail", {})
    for section in ("prompts", "risk"):
        detail.setdefault(section, {})
    return nested


def _without_derived(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_derived(value) if isinstance(value, dict) else value
        for key, value in entry.items()
        if not key.endswith(_DERIVED)
    }


def _set_only(node: nodes.Mapping) -> nodes.Mapping:
    """Without empty texts: an empty duration, or model, is one that was left out."""
    items: list[nodes.Node] = []
    for key, value in zip(node.items[::2], node.items[1::2], strict=True):
        if isinstance(value, nodes.Scalar) and value.value == "":
            continue
        items += [key, _set_only(value) if isinstance(value, nodes.Mapping) else value]
    return nodes.Mapping(node.line, node.tag, items)


def _portable(key: str, value: Any) -> Any:
    if key in _PROMPT_KEYS and isinstance(value, str) and (found := _PROMPTS.search(value)):
        return found[1].replace("\\", "/")
    return value
