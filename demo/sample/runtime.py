"""Invented last reports of engines. No engine runs, so every report is old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.sample.ledger import STARTING_EQUITY, Ledger
from demo.sample.plan import SamplePlan
from demo.sample.trips import Trip
from demo.sample.versions import SampleVersion

NEVER_REPORTED = 3  # every third
COOLDOWN = timedelta(hours=4)
MOST_COOLDOWNS = 2


@dataclass(frozen=True)
class SampleReport:
    """A row of `trader_runtime_state`."""

    active_version: int
    is_running: bool
    detail: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class SampleCooldown:
    symbol: str
    since: datetime
    until: datetime
    detail: dict[str, Any]


def report_of(index: int, plan: SamplePlan, versions: Sequence[SampleVersion], ledger: Ledger) -> SampleReport | None:
    """None for a trader that no engine ever ran. Some engines stopped before the last change."""
    if index % NEVER_REPORTED == NEVER_REPORTED - 1:
        return None
    ledger.advance(plan.end_ms)
    interval = timedelta(seconds=versions[-1].spec.detail.llm.decision_interval_seconds)
    detail = {
        "decision": {
            "last_at": (plan.end - interval).isoformat(),
            "next_at": plan.end.isoformat(),
        },
        "allocation": {
            "equity_usd": round(ledger.equity, 2),
            "used_margin_usd": round(ledger.used_margin, 2),
            "available_margin_usd": round(ledger.equity - ledger.used_margin, 2),
        },
        "performance": {"total_pnl_usd": round(ledger.equity - STARTING_EQUITY, 2)},
    }
    behind = 1 if index % 2 and len(versions) > 1 else 0
    return SampleReport(versions[-1].number - behind, index % 2 == 0, detail, plan.end)


def cooldowns_of(trips: Sequence[Trip]) -> list[SampleCooldown]:
    """Cooldowns after the last trade of a symbol, where it lost."""
    found: dict[str, SampleCooldown] = {}
    for trip in trips:
        found.pop(trip.symbol, None)
        if trip.exit is not None and trip.net < 0:
            found[trip.symbol] = _cooldown(trip)
    return list(found.values())[:MOST_COOLDOWNS]


def _cooldown(trip: Trip) -> SampleCooldown:
    assert trip.exit is not None
    since = datetime.fromtimestamp(trip.exit.ts_ms / 1000, UTC)
    detail = {
        "reason": "stop_loss" if trip.exit.cause == "stop" else "close_position",
        "consecutive_losses": 1,
        "last_loss_pnl": trip.net,
        "triggered_at": since.isoformat(),
    }
    return SampleCooldown(trip.symbol, since, since + COOLDOWN, detail)
