"""The validation of configurations, for YAML, forms, the API and restores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from traders.schema.messages import TranslatableText, _
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem, problems_of, shown
from traders.schema.prompts import path_problem
from traders.schema.secrets import find_secret, secrets_in
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.journal import DIR_PATH, journal_dir_problem
from traders.schema.settings.trader import ID_PATTERN, ID_RULE, TraderSpec

# Embeddings, overrides and isolates of the bidirectional algorithm: a page would show another text than is stored.
# Looked for here and not where the types are declared, so that what is stored already stays readable.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DIGESTS = frozenset({"system_sha256", "executor_sha256"})


def validate_trader(trader_id: str, nested: Mapping[str, Any], *, before: Flat | None = None) -> TraderSpec:
    """`{exchange_provider, ..., detail}` -> the trader's configuration, defaults filled in.

    `before` is what stands, if anything: a directory of cycle files that is stored already is left alone, so that an
    older one can be edited away and hinders no other change. Raises InvalidConfig with every problem at its dotted
    path: types, ranges, unknown settings, secrets, paths of prompts that no other machine would have, directories
    outside of the journal root, an allocation beside paper capital.
    """
    problems = _text_problems(nested, trader_id) + _prompt_problems(nested, trader_id)
    problems += _journal_problems(nested, trader_id, before or {})
    try:
        spec = TraderSpec.model_validate({**nested, "id": trader_id})
    except ValidationError as error:
        raise InvalidConfig(_first_per_path(problems, error, TRADER_SETTINGS, trader_id)) from None
    problems += _capital_problems(spec)
    if problems:
        raise InvalidConfig(problems)
    return spec


def require_trader_id(trader_id: str) -> None:
    """Raises InvalidConfig for a text that is not a valid trader id, such as the id of the fleet's settings."""
    if not ID_PATTERN.fullmatch(trader_id):
        raise InvalidConfig(
            [Problem("id", _("must be %(right)s, was %(value)s", right=ID_RULE, value=shown(trader_id)))]
        )


def validate_fleet(nested: Mapping[str, Any]) -> FleetSpec:
    """`{detail: {manager, monitoring, extra}}` -> the fleet's configuration. Raises InvalidConfig."""
    problems = _text_problems(nested, "")
    try:
        spec = FleetSpec.model_validate(dict(nested))
    except ValidationError as error:
        raise InvalidConfig(_first_per_path(problems, error, FLEET_SETTINGS, "")) from None
    if problems:
        raise InvalidConfig(problems)
    return spec


def secret_message(kind: TranslatableText) -> TranslatableText:
    """What a Problem says about a secret; the secret itself is never shown."""
    return _(
        "holds what looks like %(kind)s; write ${NAME} and set NAME in the environment: history keeps secrets for ever",
        kind=kind,
    )


def turned(text: str) -> TranslatableText | None:
    """What a Problem says about a text that turns its own direction, else None."""
    found = None if text.isascii() else _TURNING.search(text)
    return (
        _("must not hold the character U+%(code)s, which turns the direction of a text", code=f"{ord(found[0]):04X}")
        if found
        else None
    )


def _first_per_path(
    problems: list[Problem], error: ValidationError, settings: Mapping[str, Setting], trader_id: str
) -> list[Problem]:
    taken = {problem.path for problem in problems}
    return problems + [p for p in problems_of(error, settings, trader_id) if p.path not in taken]


def _text_problems(nested: Mapping[str, Any], trader_id: str) -> list[Problem]:
    """Secrets, and texts that turn their direction, in declared settings and in extensions."""
    texts = list(_declared(nested))
    found = [(path, secret_message(kind)) for path, text in texts if (kind := find_secret(text))]
    found += [(path, message) for path, text in texts if (message := turned(text))]
    detail = nested.get("detail")
    if isinstance(detail, dict) and (extra := detail.get("extra")):
        found += [(path, secret_message(kind)) for path, kind in secrets_in(extra, "detail.extra")]
        found += [(path, message) for path, text in _texts(extra, "detail.extra") if (message := turned(text))]
    return [Problem(path, message, trader_id) for path, message in found]


def _declared(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The texts of declared settings, whose names need no look."""
    for name, value in nested.items():
        if isinstance(value, str):
            if name not in _DIGESTS:
                yield prefix + name, value
        elif isinstance(value, dict) and prefix + name != "detail.extra":
            yield from _declared(value, f"{prefix}{name}.")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of an extension at its dotted path, keys included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield path, str(key)
            yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, path)


def _capital_problems(spec: TraderSpec) -> list[Problem]:
    if not (spec.detail.paper_capital_usd and spec.allocation_pct):
        return []
    message = _(
        "must be 0 for a trader with paper capital of its own (detail.paper_capital_usd), was %(value)s",
        value=spec.allocation_pct,
    )
    return [Problem("allocation_pct", message, spec.id)]


def _journal_problems(nested: Mapping[str, Any], trader_id: str, before: Flat) -> list[Problem]:
    detail = nested.get("detail")
    journal = detail.get("journal") if isinstance(detail, dict) else None
    path = journal.get("dir") if isinstance(journal, dict) else None
    if not isinstance(path, str) or path.strip() == before.get(DIR_PATH):
        return []
    message = journal_dir_problem(path.strip())
    return [Problem(DIR_PATH, message, trader_id)] if message else []


def _prompt_problems(nested: Mapping[str, Any], trader_id: str) -> list[Problem]:
    detail = nested.get("detail")
    prompts = detail.get("prompts") if isinstance(detail, dict) else None
    if not isinstance(prompts, dict):
        return []
    return [
        Problem(f"detail.prompts.{name}", message, trader_id)
        for name in ("system_template", "executor_template")
        if isinstance(path := prompts.get(name), str) and path.strip() and (message := path_problem(path.strip()))
    ]
