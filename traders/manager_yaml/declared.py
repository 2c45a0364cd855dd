"""What exchange.yaml, market.yaml, llm.yaml and executor.yaml declare, as texts: for what runs traders.

Values are as written: `${NAME}` names a variable of the environment and is not expanded here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.file_cache import FileCache
from traders.manager_yaml.neighbours import EXCHANGES, EXECUTOR, MARKETS, MODELS
from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.document import AbsentFile, read_document
from traders.manager_yaml.yaml.mappings import entries, is_null
from traders.manager_yaml.yaml.nodes import Mapping as MappingNode
from traders.manager_yaml.yaml.nodes import Scalar
from traders.schema.durations import parse_duration
from traders.schema.messages import _
from traders.schema.problems import Problem

Options = Mapping[str, str]
_NO_OPTIONS: Options = {}
LONGEST_TIMEOUT = 86_400


@dataclass(frozen=True)
class CallLimits:
    """`at_once`: decisions that wait for a model at the same time. `timeout_seconds` is of one."""

    at_once: int = 1
    timeout_seconds: float = 60.0


def exchanges(directory: Path) -> Mapping[str, Options]:
    """{provider: its keys}; empty where the file is absent. Raises InvalidFile."""
    return _exchanges(directory / EXCHANGES)


def markets(directory: Path) -> Mapping[str, Options]:
    """As `exchanges`."""
    return _markets(directory / MARKETS)


def models(directory: Path) -> Mapping[str, Options]:
    """{model: its keys}, as `exchanges`."""
    return _models(directory / MODELS)


def of_one_provider(directory: Path, model: str) -> frozenset[str]:
    """The names by which traders call a model of the same provider, this one with them; "" is the default model.
    Raises InvalidFile."""
    known, default = models(directory), top_of(directory / MODELS).get("default_model", "")

    def provider(name: str) -> str:
        called = name or default
        return known.get(called, _NO_OPTIONS).get("provider", "").strip() or called.partition("/")[0]

    return frozenset(name for name in {*known, model, ""} if provider(name) == provider(model))


def top_of(path: Path) -> Options:
    """The keys of the file's top that have a plain value. Raises InvalidFile."""
    return _top(path)


def call_limits(directory: Path) -> CallLimits:
    """Of executor.yaml; the defaults where it is absent or silent. Raises InvalidFile."""
    path = directory / EXECUTOR
    found, problems = _top(path), []
    at_once, seconds = CallLimits.at_once, CallLimits.timeout_seconds
    if number := found.get("max_concurrent_decisions"):
        if re.fullmatch("[0-9]{1,4}", number):
            at_once = max(1, int(number))
        else:
            problems.append(Problem("max_concurrent_decisions", _("must be a whole number from 1 to 9999")))
    if duration := found.get("decision_timeout"):
        try:
            seconds = parse_duration(duration)
            if not 1 <= seconds <= LONGEST_TIMEOUT:
                raise ValueError(_("must be from 1s to 24h"))
        except ValueError as error:
            problems.append(Problem("decision_timeout", _("%(error)s, was %(value)s", error=error, value=duration)))
    if problems:
        raise InvalidFile(path, problems)
    return CallLimits(at_once, float(seconds))


def _read(path: Path, section: str) -> Mapping[str, Options]:
    try:
        document = read_document(path)
    except AbsentFile:
        return {}
    with document:
        found = entries(document.root, document.place).get(section)
        if found is None or not isinstance(found[1], MappingNode):
            return {}
        place = document.place.below(section)
        return {
            name: _scalars(value, place.below(name)) if isinstance(value, MappingNode) else _NO_OPTIONS
            for name, (_key, value) in entries(found[1], place).items()
        }


def _read_top(path: Path) -> Options:
    try:
        document = read_document(path)
    except AbsentFile:
        return _NO_OPTIONS
    with document:
        return _scalars(document.root, document.place)


def _scalars(mapping: MappingNode, place: YamlPlace) -> Options:
    return {
        name: value.value
        for name, (_key, value) in entries(mapping, place).items()
        if isinstance(value, Scalar) and not is_null(value)
    }


_exchanges = FileCache(partial(_read, section="providers"))
_markets = FileCache(partial(_read, section="providers"))
_models = FileCache(partial(_read, section="models"))
_top = FileCache(_read_top)
