"""Fleets of any size as an operator would declare them: manager.yaml, its prompts, and the files beside it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import yaml

ETC = Path(__file__).resolve().parent.parent / "etc"
PROMPTS = 40
RESERVE_PCT = 10
EXCHANGES = ("hyperliquid_testnet", "paper_trading")
MODELS = ("claude-sonnet-4.5", "deepseek-chat", "gpt-5")


def write_fleet(directory: Path, *, traders: int, changed: int = 0) -> Path:
    """The path of manager.yaml. `changed`: so many traders, spread over the file, differ in one limit.

    The same arguments write the same bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("exchange.yaml", "market.yaml", "llm.yaml", "executor.yaml"):
        shutil.copy(ETC / name, directory / name)
    for number in range(PROMPTS):
        _write(directory / _prompt(number), _template(number))
    _write(directory / "prompts/executor/default_prompt.tmpl", _template(PROMPTS))
    every = traders // changed if changed else traders + 1
    declared = [_trader(number, traders, changed=number % every == every - 1) for number in range(traders)]
    path = directory / "manager.yaml"
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    path.write_text(yaml.dump(_file(declared), Dumper=dumper, sort_keys=False), encoding="utf-8")
    return path


def _file(traders: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "manager": {
            "total_equity_usd": 250_000,
            "reserve_equity_pct": RESERVE_PCT,
            "allocation_strategy": "performance_based",
            "rebalance_interval": "1h",
            "state_storage_backend": "file",
            "state_storage_path": "../data/manager_state.json",
        },
        "traders": traders,
        "monitoring": {"update_interval": "30s", "metrics_exporter": "prometheus"},
    }


def _trader(number: int, traders: int, *, changed: bool) -> dict[str, Any]:
    draw = random.Random(number)
    return {
        "id": f"trader_{number:05}",
        "name": f"Trader {number:05}",
        "description": f"Variant {number} of the strategy in prompt {number % PROMPTS}.",
        "exchange_provider": draw.choice(EXCHANGES),
        "market_provider": "hyperliquid_testnet",
        "order_style": "market_ioc",
        "market_ioc_slippage_bps": draw.randint(20, 90),
        "prompt_template": _prompt(number % PROMPTS),
        "executor_prompt_template": "prompts/executor/default_prompt.tmpl",
        "model": draw.choice(MODELS),
        "decision_interval": draw.choice(["3m", "5m", "15m", "1h30m"]),
        "allocation_pct": _allocation_pct(number, traders),
        "auto_start": draw.random() < 0.8,
        "journal_enabled": True,
        "risk_params": {
            "max_positions": draw.randint(1, 8),
            "max_position_size_usd": draw.randint(200, 5000),
            "max_margin_usage_pct": draw.randint(30, 70),
            "major_coin_leverage": draw.randint(5, 25),
            "altcoin_leverage": draw.randint(2, 10),
            "min_risk_reward_ratio": draw.randint(15, 40) / 10,
            "min_confidence": 60 if changed else draw.randint(65, 85),
            "stop_loss_enabled": True,
            "take_profit_enabled": draw.random() < 0.7,
        },
        "exec_guards": {
            "max_new_positions_per_cycle": draw.randint(1, 3),
            "liquidity_threshold_usd": 5_000_000,
            "cooldown_after_close": "15m",
            "candidate_limit": draw.randint(5, 20),
        },
    }


def _allocation_pct(number: int, traders: int) -> float:
    """Equal shares in whole hundredths of a percent; in a fleet too large for that the last traders get none."""
    hundredths = (100 - RESERVE_PCT) * 100
    share = max(hundredths // traders, 1)
    return share / 100 if (number + 1) * share <= hundredths else 0


def _prompt(number: int) -> str:
    return f"prompts/manager/strategy_{number:02}.tmpl"


def _template(number: int) -> str:
    lines = [
        f"{rule + 1}. When condition {number}.{rule} holds, weigh it against the trend of the day."
        for rule in range(40)
    ]
    return "\n".join(["{{/* Version: v1.0.0 */}}", f"ROLE: You direct strategy {number}.", *lines, ""])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
