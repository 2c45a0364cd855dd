"""Validates what was read by the schema, with problems at keys and lines of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from traders.manager_yaml.shape import yaml_path
from traders.manager_yaml.yaml import nodes
from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.mappings import lookup
from traders.schema.paths import Flat, unflatten
from traders.schema.problems import InvalidConfig
from traders.schema.settings.declare import Setting

Spec = TypeVar("Spec")


def checked(
    validate: Callable[[dict[str, Any]], Spec],
    flat: Flat,
    entry: nodes.Mapping,
    place: YamlPlace,
    settings: Mapping[str, Setting],
    bad: Collection[str],
    *,
    sections: Iterable[str],
) -> Spec | None:
    """The valid configuration, or None with its problems reported to `place`.

    `bad`: paths that were refused before and are not to be called missing now. `sections`: parts of `detail`
    that are there even when the file leaves them out, so that each required setting in them is named.
    """
    nested = unflatten(flat)
    for section in sections:
        nested["detail"].setdefault(section, {})
    try:
        spec = validate(nested)
    except InvalidConfig as error:
        for problem in error.problems:
            if problem.path not in bad:
                key = yaml_path(problem.path, settings)
                place.wrong(key, problem.message, line_of(entry, key))
        return None
    return None if bad else spec


def line_of(entry: nodes.Mapping, key: str) -> int:
    """The line of a dotted key, or of the nearest enclosing key that the file has."""
    line = entry.line
    for part in key.split("."):
        found = lookup(entry, part)
        if found is None:
            break
        line = found[0].line
        if not isinstance(found[1], nodes.Mapping):
            break
        entry = found[1]
    return line
