"""What controls ask of the record: the open positions of traders, and when their equity was last told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from traders.controls.facts import PositionNow
from traders.database.among import among
from trading.models import OPEN_AND_COUNTED, Position
from trading.record.stored.spread import reads

# As `EQUITY_COUNTED`.
_LAST_POINTS = """
SELECT wanted.id AS trader_id, e.ts_ms, e.equity_usd
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots
                      WHERE trader_id = wanted.id AND exclusion_id IS NULL AND NOT is_suspect
                      ORDER BY ts_ms DESC LIMIT 1) e
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_positions(trader_ids: Collection[str]) -> dict[str, list[PositionNow]]:
    """Of those that have some, by symbol. `notional_usd` is at the entry price."""
    rows = Position.objects.filter(OPEN_AND_COUNTED, trader__in=trader_ids).order_by("trader_id", "symbol")
    found: dict[str, list[PositionNow]] = {}
    for row in rows:
        orders = row.detail.get("orders") if isinstance(row.detail, dict) else None
        known = row.quantity is not None and row.entry_price is not None
        position = PositionNow(
            id=row.id,
            trader_id=row.trader_id,
            symbol=row.symbol,
            side=row.side,
            entry_time_ms=row.opened_ms or 0,
            notional_usd=row.quantity * row.entry_price if known else None,
            has_live_stop=isinstance(orders, dict) and bool(orders.get("sl_oid")),
            is_against_control=isinstance(row.detail, dict) and row.detail.get("against_control") is not None,
        )
        found.setdefault(row.trader_id, []).append(position)
    return found


def holding(trader_ids: Collection[str] | None = None) -> set[str]:
    """The traders, of all or of these, that have an open position."""
    rows = Position.objects.filter(OPEN_AND_COUNTED).order_by()
    if trader_ids is not None:
        rows = rows.filter(among("trader", trader_ids))
    return set(rows.values_list("trader_id", flat=True).distinct())


def last_points(trader_ids: Collection[str]) -> list[Any]:
    """(trader_id, ts_ms, equity_usd) of the newest point that counts, of those that have one."""
    return reads.rows(_LAST_POINTS, {"traders": list(trader_ids)})


def equity_moments(trader_ids: Collection[str]) -> dict[str, datetime]:
    """Of those that have a point that counts: the moment of the newest."""
    return {row.trader_id: _EPOCH + timedelta(milliseconds=row.ts_ms) for row in last_points(trader_ids)}
