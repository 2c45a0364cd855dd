"""The names that a configuration may use: those defined by the files beside manager.yaml, and the stored ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from traders.manager_yaml.file import InvalidFile, KnownNames
from traders.manager_yaml.names import name_problems
from traders.manager_yaml.neighbours import known_names
from traders.prompt_texts import writer as prompts
from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.problems import Problem
from traders.schema.prompts import PromptFile
from traders.schema.settings.stored import Spec, flat_of
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from traders.versions.rules.merge import UNITS, Unit

_NOT_STORED = _("must be one of the stored prompts; sync a file to store its texts")


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What a form offers: names defined beside manager.yaml or in use, and the stored prompts without bodies."""

    exchange_providers: tuple[str, ...]
    market_providers: tuple[str, ...]
    models: tuple[str, ...]
    prompts: tuple[PromptFile, ...]


def choices() -> FormChoices:
    """Each is read when it is first looked at: a save that changes no name needs none of them."""
    try:
        known = _known()
    except InvalidFile:  # the form still opens on the names in use; saving says what is wrong with the file
        known = KnownNames()
    used: Any = SimpleLazyObject(configs.names_in_use)
    lazily: Any = SimpleLazyObject
    return FormChoices(
        exchange_providers=lazily(lambda: _joined(known.exchange_providers, used.exchange_providers)),
        market_providers=lazily(lambda: _joined(known.market_providers, used.market_providers)),
        models=lazily(lambda: _joined(known.models, used.models)),
        prompts=lazily(lambda: tuple(prompts.known())),
    )


def unknown(spec: Spec, before: Flat | None) -> list[Problem]:
    """Names in `spec` that nothing defines, except those that `before` has already."""
    if not isinstance(spec, TraderSpec):
        return []
    return vanished(spec, before) + _unknown_prompts(spec.id, flat_of(spec), before or {})


def vanished(spec: Spec, before: Flat | None) -> list[Problem]:
    """Providers and models in `spec` that no file defines any more, except those that `before` has already. Nothing
    else of an older configuration can be unknown: its prompts are stored."""
    if not isinstance(spec, TraderSpec):
        return []
    flat, before = flat_of(spec), before or {}
    try:
        known = _known()
    except InvalidFile as broken:
        return [Problem("", _("cannot be checked against the names in use: %(broken)s", broken=broken), spec.id)]
    return [
        Problem(path, message, spec.id)
        for path, _key, message in name_problems(flat, known)
        if flat[path] != before.get(path)
    ]


def unknown_values(values: Flat) -> list[Problem]:
    """Names among these values, given to many traders at once, that nothing defines."""
    try:
        problems = [Problem(path, message) for path, _key, message in name_problems(values, _known())]
    except InvalidFile as broken:
        return [Problem("", _("cannot be checked against the names in use: %(broken)s", broken=broken))]
    stored = prompts.texts([values[sha256] for _, _, sha256 in UNITS if values.get(sha256)])
    for unit in UNITS:
        if any(path in values for path in unit):
            problems += _prompt_problems(unit, values, stored)
    return problems


def _prompt_problems(unit: Unit, flat: Flat, stored: Mapping[str, PromptFile], trader_id: str = "") -> list[Problem]:
    """Path, version and text of a prompt are one choice: history must not name a prompt that was never used."""
    template, version, sha256 = unit
    text = stored.get(flat.get(sha256) or "")
    if text is None:
        return [Problem(template, _NOT_STORED, trader_id)]
    problems = []
    if flat.get(version) != text.version:
        problems.append(
            Problem(
                version,
                _(
                    "must be %(version)s, the version of the text %(sha256)s",
                    version=repr(text.version),
                    sha256=text.sha256,
                ),
                trader_id,
            )
        )
    path = flat.get(template)
    if path != text.path and not prompts.is_named(text.sha256, path):
        right = _(
            "must be a path that the text %(sha256)s is known by, such as %(path)s; sync a file to rename it",
            sha256=text.sha256,
            path=text.path,
        )
        problems.append(Problem(template, right, trader_id))
    return problems


def _known() -> KnownNames:
    return known_names(settings.MANAGER_YAML.parent)


def _unknown_prompts(trader_id: str, flat: Flat, before: Flat) -> list[Problem]:
    problems = []
    for unit in UNITS:
        digest = flat[unit[2]]
        if before and all(flat[path] == before[path] for path in unit):
            continue
        stored = prompts.texts([digest]) if digest else {}
        problems += _prompt_problems(unit, flat, stored, trader_id)
    return problems


def _joined(defined: Collection[str] | None, used: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({*(defined or ()), *used} - {""}))
