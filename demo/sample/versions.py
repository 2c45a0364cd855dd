"""The versions of a sample trader over the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from demo.sample.plan import SamplePlan
from demo.sample.prompts import executor_prompt, system_prompt
from demo.sample.styles import Persona
from demo.sample.tunings import FLEET, OWN, Tuning
from traders.schema.paths import Flat, diff, unflatten
from traders.schema.settings.stored import flat_of
from traders.schema.settings.trader import TraderSpec
from traders.schema.settings.validate import validate_trader

FIRST = "first"
"""The change set of the first day, which the fleet's settings belong to as well."""

MOST_OWN_CHANGES = 5
FLEET_CHANGE_AT = 0.55
_SECONDS_A_DAY = 86_400
_WORSE, _BETTER = 0.44, 0.62


@dataclass(frozen=True)
class SampleVersion:
    """`change_set` names what was changed together; `skill` is how often its decisions see the right side."""

    number: int
    at: datetime
    spec: TraderSpec
    changed_fields: tuple[str, ...]
    reason: str
    actor: str
    source: str
    change_set: str
    skill: float


def versions_of(persona: Persona, plan: SamplePlan, size_usd: int, interval_seconds: int) -> list[SampleVersion]:
    """In order of time. `size_usd` is the largest position of the first version."""
    rng = Random(f"{plan.seed}:{persona.id}:versions")
    flat = _first(persona, plan, size_usd, interval_seconds)
    made = [
        SampleVersion(
            *(1, plan.start, _spec(persona, flat), (), "initial", "cli:ops", "sync", FIRST), skill=_skill(rng)
        )
    ]
    for at, tuning, change_set in _changes(persona, plan, rng, interval_seconds):
        changed = {**flat, **tuning.change(flat, persona.style)}
        paths = tuple(change.path for change in diff(flat, changed))
        if not paths:
            continue
        flat = changed
        made.append(
            SampleVersion(
                *(len(made) + 1, at, _spec(persona, flat), paths, tuning.reason, tuning.actor, tuning.source),
                change_set=change_set,
                skill=_skill(rng),
            )
        )
    return made


def _changes(
    persona: Persona, plan: SamplePlan, rng: Random, interval_seconds: int
) -> list[tuple[datetime, Tuning, str]]:
    """Rising: the trader's own at a moment between two decisions, the fleet's at the same one for all."""
    count = rng.randint(2, MOST_OWN_CHANGES)
    cycles = plan.days * _SECONDS_A_DAY // interval_seconds
    own = []
    for number, tuning in enumerate(rng.sample(OWN, count)):
        cycle = int((number + rng.uniform(0.2, 0.8)) / (count + 0.5) * cycles)
        at = plan.start + timedelta(seconds=(cycle + rng.uniform(0.25, 0.75)) * interval_seconds)
        own.append((at, tuning, f"{persona.id}:{number}"))
    fleet_at = plan.start + timedelta(seconds=int(FLEET_CHANGE_AT * plan.days * _SECONDS_A_DAY))
    return sorted([*own, (fleet_at, FLEET, "fleet")], key=lambda change: change[0])


def _skill(rng: Random) -> float:
    return rng.uniform(_WORSE, _BETTER)


def _spec(persona: Persona, flat: Flat) -> TraderSpec:
    return validate_trader(persona.id, unflatten(flat))


def _first(persona: Persona, plan: SamplePlan, size_usd: int, interval_seconds: int) -> Flat:
    style, executor = persona.style, executor_prompt()
    system = system_prompt(style, revised=False)
    values: dict[str, Any] = {
        "exchange_provider": "paper_trading",
        "market_provider": "hyperliquid",
        "allocation_pct": plan.allocation_pct,
        "detail.display_name": persona.name,
        "detail.description": style.purpose,
        "detail.auto_start": True,
        "detail.prompts.system_template": system.path,
        "detail.prompts.system_version": system.version,
        "detail.prompts.system_sha256": system.sha256,
        "detail.prompts.executor_template": executor.path,
        "detail.prompts.executor_version": executor.version,
        "detail.prompts.executor_sha256": executor.sha256,
        "detail.llm.model": style.model,
        "detail.llm.decision_interval_seconds": interval_seconds,
        "detail.risk.max_positions": len(persona.markets),
        "detail.risk.max_position_size_usd": Decimal(size_usd),
        "detail.risk.max_margin_usage_pct": Decimal(80),
        "detail.risk.major_coin_leverage": style.major_leverage,
        "detail.risk.altcoin_leverage": style.alt_leverage,
        "detail.risk.min_risk_reward_ratio": Decimal(style.min_risk_reward),
        "detail.risk.min_confidence": style.min_confidence,
        "detail.risk.stop_loss_enabled": True,
        "detail.risk.take_profit_enabled": True,
    }
    return flat_of(_spec(persona, values))
