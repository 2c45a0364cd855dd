"""The entries of one section read into dotted paths, each by the kind of its setting."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from traders.manager_yaml.shape import CLONED_FROM, ORIGIN, Shape, YamlLeaf, unknown_key, what_fits
from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.extra_values import read_extra
from traders.manager_yaml.yaml.mappings import NULLS, Entries, describe, entries, is_null, key_text, tag_message
from traders.manager_yaml.yaml.nodes import Mapping, Node, Scalar, Sequence
from traders.manager_yaml.yaml.scalars import WrongValue, read_symbols
from traders.manager_yaml.yaml.slips import full_width_colon
from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.settings.declare import SettingKind

_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def read_section(
    section: Entries,
    shape: Shape,
    flat: Flat,
    place: YamlPlace,
    *,
    known: Iterable[str] = (),
    whole: Shape | None = None,
) -> set[str]:
    """Fills `flat`; gives the paths whose values could not be read. Null counts as left out.

    `known`: keys that the caller reads; `whole`: the shape of the entry that this section belongs to.
    """
    bad: set[str] = set()
    whole = shape if whole is None else whole
    for key, (key_node, value) in section.items():
        found = shape.get(key)
        if type(found) is YamlLeaf and type(value) is Scalar and value.tag is None:
            if value.plain and value.value in NULLS:
                continue
            try:
                flat[found.path] = found.read(value, found.setting)
            except WrongValue as error:
                place.wrong(key, error.message, key_node.line)
                bad.add(found.path)
        elif found is not None:
            bad |= _collection(found, key, key_node.line, value, flat, place, whole)
        elif key not in known:
            here = [*shape, *known]
            message = full_width_colon(key_node) or unknown_key(
                key, here=here, whole=whole, section=place.prefix.rstrip(".")
            )
            place.wrong(key_text(key), message, key_node.line)
    return bad


def _collection(
    found: YamlLeaf | Shape, key: str, line: int, value: Node, flat: Flat, place: YamlPlace, whole: Shape
) -> set[str]:
    if value.tag is not None:
        place.wrong(key, tag_message(value.tag), line)
    elif isinstance(found, dict):
        if is_null(value):
            return set()
        if isinstance(value, Mapping):
            below = place.below(key)
            return read_section(entries(value, below), found, flat, below, whole=whole)
        if (slip := full_width_colon(value)) is not None:
            place.wrong(key, slip, value.line)
        else:
            place.wrong(key, _("must be a mapping of settings, was %(value)s", value=describe(value)), line)
    elif isinstance(value, Mapping) and found.setting.kind is SettingKind.EXTRA:
        flat[found.path] = read_extra(value, place.below(key))
        return set()
    elif isinstance(value, Sequence) and found.setting.kind is SettingKind.SYMBOLS:
        try:
            flat[found.path] = read_symbols(value, found.setting)
            return set()
        except WrongValue as error:
            place.wrong(key, error.message, value.line)
    elif isinstance(value, Mapping) and found.path == CLONED_FROM:
        if origin := _origin(value, place.below(key)):
            flat[found.path] = origin
        return set()
    else:
        place.wrong(
            key, _("must be %(right)s, was %(value)s", right=what_fits(found.setting), value=describe(value)), line
        )
    return _paths_below(found)


def _origin(node: Mapping, place: YamlPlace) -> dict[str, Any] | None:
    """None if there was a problem, which is reported."""
    origin: dict[str, Any] = {}
    known = len(place.problems.found)
    for key, (key_node, value) in entries(node, place).items():
        if key not in ("trader_id", "version"):
            place.wrong(
                key_text(key), _("is not a known setting; cloned_from is %(origin)s", origin=ORIGIN), key_node.line
            )
        elif not isinstance(value, Scalar) or value.tag is not None:
            place.wrong(key, _("must be a plain value, was %(value)s", value=describe(value)), key_node.line)
        elif key == "version" and not (value.plain and _VERSION.fullmatch(value.value)):
            place.wrong(key, _("must be a whole number from 1, was %(value)s", value=describe(value)), key_node.line)
        else:
            origin[key] = int(value.value) if key == "version" else value.value
    return origin if len(place.problems.found) == known else None


def _paths_below(shape: YamlLeaf | Shape) -> set[str]:
    if isinstance(shape, YamlLeaf):
        return {shape.path}
    return {path for inner in shape.values() for path in _paths_below(inner)}
