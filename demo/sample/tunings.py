"""Invented changes of the sample's configurations, with reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.sample.prompts import system_prompt
from demo.sample.styles import STYLES, Style
from traders.schema.paths import Flat

_RISK = "detail.risk."
MOST_CONFIDENCE = 80
MOST_RISK_REWARD = Decimal("2.5")


@dataclass(frozen=True)
class Tuning:
    """`change` gives the paths with their new values; equal values are no change."""

    actor: str
    source: str
    reason: str
    change: Callable[[Flat, Style], dict[str, Any]]


def _less_leverage(flat: Flat, style: Style) -> dict[str, Any]:
    paths = (f"{_RISK}major_coin_leverage", f"{_RISK}altcoin_leverage")
    return {path: max(2, flat[path] * 2 // 3) for path in paths}


def _other_model(flat: Flat, style: Style) -> dict[str, Any]:
    models = sorted({style.model for style in STYLES})
    return {"detail.llm.model": models[(models.index(flat["detail.llm.model"]) + 1) % len(models)]}


def _more_confidence(flat: Flat, style: Style) -> dict[str, Any]:
    path = f"{_RISK}min_confidence"
    return {path: min(MOST_CONFIDENCE, flat[path] + 5)}


def _smaller(flat: Flat, style: Style) -> dict[str, Any]:
    path = f"{_RISK}max_position_size_usd"
    return {path: max(Decimal(100), flat[path] * 4 // 50 * 10)}


def _larger(flat: Flat, style: Style) -> dict[str, Any]:
    path = f"{_RISK}max_position_size_usd"
    return {path: flat[path] * 6 // 50 * 10}


def _better_reward(flat: Flat, style: Style) -> dict[str, Any]:
    path = f"{_RISK}min_risk_reward_ratio"
    return {path: min(MOST_RISK_REWARD, flat[path] + Decimal("0.25"))}


def _revised_prompt(flat: Flat, style: Style) -> dict[str, Any]:
    text = system_prompt(style, revised=True)
    return {"detail.prompts.system_version": text.version, "detail.prompts.system_sha256": text.sha256}


def _market_orders(flat: Flat, style: Style) -> dict[str, Any]:
    return {"detail.order.style": "market_ioc", "detail.order.slippage_bps": Decimal(30)}


OWN = (
    Tuning("mei", "admin", "Too many weak entries: ask for more confidence", _more_confidence),
    Tuning("mei", "admin", "Prompt reworded after reading last week's decisions", _revised_prompt),
    Tuning("tom", "admin", "Same prompt on another model, to compare", _other_model),
    Tuning("ada", "admin", "Limit orders missed the move twice", _market_orders),
    Tuning("mei", "admin", "Drawdown above what we agreed: smaller positions", _smaller),
    Tuning("ada", "bulk", "Commission eats the small winners: aim further", _better_reward),
    Tuning("tom", "admin", "A good fortnight: back to larger positions", _larger),
    Tuning("cli:ops", "sync", "weekly review", _more_confidence),
)
# For every trader at the same moment, as one change set.
FLEET = Tuning("mei", "bulk", "Rate decision on Wednesday: less leverage everywhere", _less_leverage)
