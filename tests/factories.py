"""Small fleets for tests: plain functions that make valid configurations, each part of which may be overridden."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from traders.manager_yaml.file import KnownNames, ManagerFile
from traders.schema.paths import Flat, unflatten
from traders.schema.prompts import PromptFile, read_prompt
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import SavedVersion, flat_of
from traders.schema.settings.trader import TraderSpec
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.edit import services as edit

SYSTEM_PROMPT = read_prompt("prompts/manager/long.tmpl", b"{{/* Version: v1.0.0 */}}\nBuy what rises.\n")
EXECUTOR_PROMPT = read_prompt("prompts/executor/default_prompt.tmpl", b"{{/* Version: v1.0.0 */}}\nDecide.\n")
PROMPTS = {prompt.sha256: prompt for prompt in (SYSTEM_PROMPT, EXECUTOR_PROMPT)}

BASE: Flat = {
    "exchange_provider": "paper_trading",
    "market_provider": "hyperliquid_testnet",
    "allocation_pct": Decimal("20.00"),
    "detail.display_name": "Steady Long",
    "detail.prompts.system_template": SYSTEM_PROMPT.path,
    "detail.prompts.system_version": SYSTEM_PROMPT.version,
    "detail.prompts.system_sha256": SYSTEM_PROMPT.sha256,
    "detail.prompts.executor_template": EXECUTOR_PROMPT.path,
    "detail.prompts.executor_version": EXECUTOR_PROMPT.version,
    "detail.prompts.executor_sha256": EXECUTOR_PROMPT.sha256,
    "detail.llm.model": "deepseek-chat",
    "detail.risk.max_positions": 3,
    "detail.risk.max_position_size_usd": Decimal("500"),
    "detail.risk.major_coin_leverage": 20,
    "detail.risk.altcoin_leverage": 10,
    "detail.risk.min_risk_reward_ratio": Decimal("3.0"),
    "detail.risk.min_confidence": 75,
    "detail.risk.stop_loss_enabled": True,
}
FLEET: Flat = {
    "detail.manager.total_equity_usd": Decimal("10000"),
    "detail.manager.reserve_equity_pct": Decimal("10"),
    "detail.manager.state_storage_backend": "file",
    "detail.manager.state_storage_path": "../data/state.json",
    "detail.monitoring.metrics_exporter": "prometheus",
}


def make_trader(trader_id: str = "steady_long", **changed: Any) -> TraderSpec:
    """`changed` names paths with __ for the dots: `detail__risk__max_positions=4`."""
    flat = BASE | {path.replace("__", "."): value for path, value in changed.items()}
    return TraderSpec.model_validate({"id": trader_id, **unflatten(flat)})


def make_fleet(**changed: Any) -> FleetSpec:
    flat = FLEET | {path.replace("__", "."): value for path, value in changed.items()}
    return FleetSpec.model_validate(unflatten(flat))


def make_file(
    *traders: TraderSpec, fleet: FleetSpec | None = None, sha256: str = "0" * 64, prompts: tuple[PromptFile, ...] = ()
) -> ManagerFile:
    return ManagerFile(
        path=Path("etc/manager.yaml"),
        sha256=sha256,
        fleet=fleet or make_fleet(),
        traders={trader.id: trader for trader in traders},
        prompts=PROMPTS | {prompt.sha256: prompt for prompt in prompts},
        lines={},
        warnings=(),
        known=KnownNames(),
    )


def sync_traders(*traders: TraderSpec, prompts: tuple[PromptFile, ...] = (), **options: Any) -> None:
    """Stores these traders by a sync."""
    sync(file=make_file(*traders, prompts=prompts), actor="cli:test", **options)


def save_edit(config_id: str, actor: str = "mei", reason: str = "because", **changed: Any) -> SavedVersion | None:
    """An operator changes some paths of what stands now."""
    stored = configs.existing(config_id)
    flat = stored.flat | {path.replace("__", "."): value for path, value in changed.items()}
    return edit.save(
        config_id=config_id,
        flat=flat,
        expected_version=stored.version,
        reason=reason,
        actor=actor,
        may_change_fleet=True,
    )


def new_trader(trader_id: str, **changed: Any) -> SavedVersion | None:
    """An operator adds a trader in the browser."""
    flat = flat_of(make_trader(trader_id, **changed))
    return edit.save(config_id=trader_id, flat=flat, expected_version=0, reason="new strategy", actor="mei")
