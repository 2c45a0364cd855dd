"""What setting rows aside did, or would do, as people and programs read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from traders.management.table import table
from trading.record.exclusions.services import ExclusionChange
from trading.schema.exclusion import Exclusion, who_and_why

HEAD = ("trader", "figure", "before", "after")
DASH = "-"
# (done, only previewed) of an exclusion and of its end.
_ASIDE = ("Set aside {rows}.", "Would set aside {rows}.")
_AGAIN = ("Included {rows} again.", "Would include {rows} again.")
NAMES = {
    "trades": "trades",
    "wins": "winning trades",
    "net_pnl": "net P&L, USD",
    "gross_pnl": "gross P&L, USD",
    "fees": "commission, USD",
    "funding": "funding, USD",
    "win_rate_pct": "win rate, %",
    "open_positions": "open positions",
    "closed_positions": "closed positions",
    "closed_pnl": "P&L of closed positions, USD",
    "decisions": "decisions",
    "equity_points": "equity points",
    "equity": "equity, USD",
    "return_pct": "return, %",
    "max_drawdown_pct": "maximum drawdown, %",
}


def change_lines(change: ExclusionChange) -> Iterator[str]:
    said = _AGAIN if change.is_undo else _ASIDE
    yield said[change.is_preview].format(rows=_rows(len(change.entries)))
    for key, entry in change.already:
        yield f"{key}: {said_already(entry)}"
    moved = [
        (trader_id, NAMES[name], _figure(old), _figure(new)) for trader_id, name, old, new in change.moved_figures()
    ]
    if moved:
        yield from table([HEAD, *moved])
    elif change.entries:
        yield "No figure of the trader changes."


def change_json(change: ExclusionChange) -> dict[str, Any]:
    return {
        "action": change.action,
        "dry_run": change.is_preview,
        "changed": [str(entry.record_id) for entry in change.entries],
        "already": [
            {"id": key.id, "set_aside": None if entry is None else exclusion_json(entry)}
            for key, entry in change.already
        ],
        "entries": [] if change.is_preview else [exclusion_json(entry) for entry in change.entries],
        "before": {name: asdict(figures) for name, figures in change.before.items()},
        "after": {name: asdict(figures) for name, figures in change.after.items()},
    }


def exclusion_json(entry: Exclusion) -> dict[str, Any]:
    return asdict(entry) | {"at": entry.at.isoformat()}


def said_already(entry: Exclusion | None) -> str:
    if entry is None:
        return "counts already"
    return f"set aside already {who_and_why(entry)}"


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _figure(value: Any) -> str:
    if value is None:
        return DASH
    return f"{value:,.4f}" if isinstance(value, float) else f"{value:,}"
