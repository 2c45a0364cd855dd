"""A site that looks like one in use: a dozen traders in every state, many hands, conflicts and undone changes."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from tests.browser.steps import OWN
from tests.factories import save_edit
from traders.manager_yaml.reader import read_manager_yaml
from traders.models import TraderConfig, TraderRuntimeState, TraderSymbolCooldown
from traders.sync.services import sync
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk

NAMES = (
    *("Basis Carry", "Breakout Night", "Delta Neutral", "Fast Hare", "Grid Walker", "Mean Snap", "News Fade"),
    *("Order Flow", "Pairs Dance", "Slow Turtle", "Tail Hedge", "Vol Crusher"),
)
FIRST = "majors_momentum"
LEVERAGE = "detail.risk.major_coin_leverage"


def busy_site(directory: Path, settings: Any) -> Path:
    """Fills the database; gives the manager.yaml that was synced last."""
    manager = directory / "etc" / "manager.yaml"
    shutil.copytree(OWN.parent, manager.parent)
    manager.write_text(_fleet(manager.read_text()))
    settings.MANAGER_YAML = manager
    sync(file=read_manager_yaml(manager), actor="cli:ops", reason="the first fleet")
    _edits()
    _reports()
    _conflicts(manager)
    for name, role in (("lee", "Operator"), ("mei", "Admin"), ("kim", "Viewer")):
        get_user_model().objects.create_user(name).groups.add(Group.objects.get(name=role))
    return manager


def _fleet(text: str) -> str:
    """The sample's three traders with smaller shares, and twelve more like them."""
    head, traders = text.split("traders:\n")
    entries, tail = re.split(r"(?=^monitoring:)", traders, flags=re.M)
    entries = re.sub(r"allocation_pct: .*", "allocation_pct: 9.5", entries)
    pattern = re.split(r"(?=^  - id: )", entries, flags=re.M)[-3:]
    more = []
    for number, name in enumerate(NAMES):
        entry = re.sub(r"id: \S+", f"id: {name.lower().replace(' ', '_')}", pattern[number % 3].rstrip(), count=1)
        entry = re.sub(r"name: .*", f"name: {name}", entry, count=1)
        more.append(re.sub(r"allocation_pct: .*", f"allocation_pct: {2 + number * 0.25:g}", entry) + "\n\n")
    return f"{head}traders:\n{entries.rstrip()}\n\n{''.join(more)}{tail}"


def _edits() -> None:
    save_edit(FIRST, "lee", "room for a third major", detail__risk__max_positions=3)
    save_edit(FIRST, "mei", "calmer before the weekend", **{LEVERAGE.replace(".", "__"): 6})
    halved = [Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5"))]
    several = ["basis_carry", "grid_walker", "order_flow", "vol_crusher"]
    seen = propose_bulk(trader_ids=several, operations=halved).seen
    save_bulk(trader_ids=several, operations=halved, seen=seen, reason="half the leverage into the print", actor="mei")
    save_edit("grid_walker", "lee", "one step back up", **{LEVERAGE.replace(".", "__"): 4})
    save_edit("slow_turtle", "lee", "waits for its new prompt", detail__retired=True)


def _reports() -> None:
    now = datetime.now(UTC)
    for number, trader in enumerate(TraderConfig.objects.order_by("pk")):
        detail: dict[str, Any] = {
            "decision": {"last_at": _text(now, -40), "next_at": _text(now, 140)},
            "allocation": {"equity_usd": 2375, "used_margin_usd": 412.5, "available_margin_usd": 1962.5},
            "performance": {"sharpe_ratio": 1.31, "total_pnl_usd": 184.25 - 60 * (number % 5)},
        }
        if number % 6 == 4:
            detail["pause"] = {"until": _text(now, 3000), "reason": "sharpe below its threshold"}
        if number % 7 != 5:
            TraderRuntimeState.objects.filter(pk=trader.pk).update(
                active_config_version=trader.version - (number % 5 == 2 and trader.version > 1),
                is_running=number % 6 != 3,
                updated_at=now - timedelta(seconds=9000 if number % 6 == 1 else 12),
                detail=detail,
            )
    losses = {"reason": "consecutive_losses", "consecutive_losses": 3, "last_loss_pnl": -50.5}
    for symbol, minutes in (("SOL", 25), ("DOGE", -5)):
        TraderSymbolCooldown.objects.create(
            trader_id=FIRST,
            symbol=symbol,
            cooldown_until=now + timedelta(minutes=minutes),
            detail=losses | {"triggered_at": _text(now, -300)},
        )


def _text(now: datetime, seconds: int) -> str:
    return (now + timedelta(seconds=seconds)).isoformat()


def _conflicts(manager: Path) -> None:
    """The file moves what was edited here, and what was not."""
    text = manager.read_text()
    first = text.index(f"id: {FIRST}")
    entry = text[first:].replace("major_coin_leverage: 8", "major_coin_leverage: 10", 1)
    entry = entry.replace("decision_interval: 5m", "decision_interval: 3m", 1)
    manager.write_text(text[:first] + entry)
    sync(file=read_manager_yaml(manager), actor="cli:ops", reason="weekly review")
