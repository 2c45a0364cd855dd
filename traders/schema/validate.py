"""The one validation of configurations: whatever comes from YAML, forms or a restore passes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from traders.schema.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.declare import Setting
from traders.schema.fleet import FleetSpec
from traders.schema.problems import InvalidConfig, Problem, problems_of
from traders.schema.prompts import path_problem
from traders.schema.secrets import find_secret, secrets_in
from traders.schema.trader import TraderSpec

_DIGESTS = frozenset({"system_sha256", "executor_sha256"})


def validate_trader(trader_id: str, nested: Mapping[str, Any]) -> TraderSpec:
    """`{exchange_provider, ..., detail}` -> the trader's configuration, defaults filled in.

    Raises InvalidConfig with every problem at its dotted path: types, ranges, unknown settings, secrets,
    paths of prompts that no other machine would have.
    """
    problems = _secret_problems(nested, trader_id) + _prompt_problems(nested, trader_id)
    try:
        spec = TraderSpec.model_validate({**nested, "id": trader_id})
    except ValidationError as error:
        raise InvalidConfig(_first_per_path(problems, error, TRADER_SETTINGS, trader_id)) from None
    if problems:
        raise InvalidConfig(problems)
    return spec


def validate_fleet(nested: Mapping[str, Any]) -> FleetSpec:
    """`{detail: {manager, monitoring, extra}}` -> the fleet's configuration. Raises InvalidConfig."""
    problems = _secret_problems(nested, "")
    try:
        spec = FleetSpec.model_validate(dict(nested))
    except ValidationError as error:
        raise InvalidConfig(_first_per_path(problems, error, FLEET_SETTINGS, "")) from None
    if problems:
        raise InvalidConfig(problems)
    return spec


def secret_message(kind: str) -> str:
    """What a Problem says about a secret; the secret itself is never shown."""
    return (
        f"holds what looks like {kind}; write ${{NAME}} and set NAME in the environment, history cannot forget a secret"
    )


def _first_per_path(
    problems: list[Problem], error: ValidationError, settings: Mapping[str, Setting], trader_id: str
) -> list[Problem]:
    taken = {problem.path for problem in problems}
    return problems + [p for p in problems_of(error, settings, trader_id) if p.path not in taken]


def _secret_problems(nested: Mapping[str, Any], trader_id: str) -> list[Problem]:
    detail = nested.get("detail")
    if not isinstance(detail, dict):
        return []
    found = (*_declared(nested), *secrets_in(detail.get("extra"), "detail.extra"))
    return [Problem(path, secret_message(kind), trader_id) for path, kind in found]


def _declared(nested: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Secrets in declared settings, whose names need no look."""
    found: list[tuple[str, str]] = []
    for name, value in nested.items():
        if isinstance(value, str):
            if name not in _DIGESTS and (kind := find_secret(value)):
                found.append((prefix + name, kind))
        elif isinstance(value, dict) and prefix + name != "detail.extra":
            found += _declared(value, f"{prefix}{name}.")
    return found


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
