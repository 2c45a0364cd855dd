"""Who touched a trader: its versions, its controls and those of the fleet, and its cooldowns. Reads only."""

from __future__ import annotations

from traders.controls import queries as controls
from traders.models import TraderConfigVersion, TraderSymbolCooldown
from traders.schema.controls.rows import Control


def newest_versions(trader_id: str, limit: int) -> list[TraderConfigVersion]:
    """Without their settings, newest first."""
    rows = TraderConfigVersion.objects.filter(id=trader_id).defer("detail").order_by("-version")
    return list(rows[:limit])


def newest_controls(trader_id: str, limit: int) -> list[Control]:
    return controls.about(trader_id, limit=limit)


def newest_cooldowns(trader_id: str, limit: int) -> list[TraderSymbolCooldown]:
    """Those that stand in the table: each symbol has one."""
    return list(TraderSymbolCooldown.objects.filter(trader_id=trader_id).order_by("-created_at", "symbol")[:limit])
