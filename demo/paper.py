"""Traders of the demo that the manager runs: on paper, at made-up prices, decided by rules.

Nothing leaves the machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.rules.errors import UnknownConfig

REASON = "runs on paper, decided by rules"
ACTOR = "mei"
# What differs from the trader whose prompts and limits they take.
_BOTH: dict[str, Any] = {
    "exchange_provider": "paper_trading",
    "market_provider": "simulated",
    "allocation_pct": Decimal(0),
    "detail.paper_capital_usd": Decimal(10_000),
    "detail.llm.model": "rules",
    "detail.auto_start": True,
    "detail.order.style": "market_ioc",
    "detail.risk.max_positions": 3,
    "detail.risk.max_position_size_usd": Decimal(4_000),
    "detail.risk.max_margin_usage_pct": Decimal(60),
    "detail.risk.min_confidence": 0,
    "detail.risk.min_risk_reward_ratio": Decimal("1.5"),
    "detail.exec_guards.liquidity_threshold_usd": Decimal(0),
    "detail.exec_guards.cooldown_after_close_seconds": 60,
    "detail.exec_guards.sharpe_pause_threshold": Decimal(0),
    "detail.exec_guards.allowed_symbols": [],
    "detail.journal.enabled": False,
    "detail.cloned_from": None,
}
PAPER_TRADERS: dict[str, dict[str, Any]] = {
    "paper_quick": {
        "detail.display_name": "Paper, quick",
        "detail.description": "Decides every 15 seconds, so that a visitor sees decisions at once.",
        "detail.llm.decision_interval_seconds": 15,
    },
    "paper_calm": {
        "detail.display_name": "Paper, calm",
        "detail.description": "Decides once a minute, at the same prices.",
        "detail.llm.decision_interval_seconds": 60,
    },
}


def hire_paper_traders() -> list[str]:
    """Adds those that are not there yet. Their ids."""
    pattern = next(config for name, config in sorted(configs.active().items()) if name != FLEET_ID)
    made = []
    for trader_id, own in PAPER_TRADERS.items():
        try:
            configs.existing(trader_id)
        except UnknownConfig:
            flat = {**pattern.flat, **_BOTH, **own}
            edit.save(config_id=trader_id, flat=flat, expected_version=0, reason=REASON, actor=ACTOR)
            made.append(trader_id)
    return made
