"""Cooldowns of symbols. Engines and guards extend them; people set and clear them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from traders.database import sql
from traders.models import TraderSymbolCooldown
from traders.runtime.writer import as_object
from traders.schema import jsonio
from traders.schema.runtime import Cooldown

# The database keeps a cooldown that ends later, and what a person has set since the engine knew of this one.
_EXTEND = """
INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail)
SELECT id, %(symbol)s, %(until)s, %(detail)s::jsonb FROM trader_config WHERE id = %(trader_id)s
    ON CONFLICT (trader_id, symbol) DO UPDATE
   SET cooldown_until = excluded.cooldown_until, detail = excluded.detail, created_at = clock_timestamp()
RETURNING trader_id
"""
_REPLACE = """
INSERT INTO trader_symbol_cooldowns AS stored (trader_id, symbol, cooldown_until, detail)
SELECT id, %(symbol)s, %(until)s,
       jsonb_build_object('reason', %(reason)s::text, 'person', jsonb_build_object(
           'control_id', %(control_id)s::bigint, 'at', %(at)s::timestamptz, 'before', %(until)s::timestamptz))
  FROM trader_config WHERE id = %(trader_id)s
    ON CONFLICT (trader_id, symbol) DO UPDATE
   SET cooldown_until = excluded.cooldown_until, created_at = clock_timestamp(),
       detail = stored.detail || jsonb_set(excluded.detail, '{person,before}', to_jsonb(greatest(
           stored.cooldown_until, excluded.cooldown_until, (stored.detail #>> '{person,before}')::timestamptz)))
RETURNING trader_id
"""


def extend(trader_id: str, symbol: str, until: datetime, detail: dict[str, Any]) -> bool:
    """What an engine or a guard sets; a stored one that ends later stays. False where nothing was written."""
    given = {"symbol": symbol, "until": until, "detail": jsonio.dumps(detail), "trader_id": trader_id}
    return bool(sql.values(_EXTEND, given))


def replace(trader_id: str, symbol: str, until: datetime, *, reason: str, control_id: int, at: datetime) -> None:
    """What a person sets: `until` now or earlier ends the cooldown."""
    sql.values(
        _REPLACE,
        {
            "trader_id": trader_id,
            "symbol": symbol,
            "until": until,
            "reason": reason,
            "control_id": control_id,
            "at": at,
        },
    )


def holding(trader_id: str) -> list[Cooldown]:
    """Those that are not over, by symbol."""
    rows = TraderSymbolCooldown.objects.filter(trader_id=trader_id, cooldown_until__gt=Now()).order_by("symbol")
    return [Cooldown(trader_id, row.symbol, row.cooldown_until, as_object(row.detail)) for row in rows]


def stored(trader_id: str, symbol: str) -> Cooldown | None:
    row = TraderSymbolCooldown.objects.filter(trader_id=trader_id, symbol=symbol).first()
    return Cooldown(trader_id, symbol, row.cooldown_until, as_object(row.detail)) if row else None


def holding_symbols(trader_ids: Collection[str]) -> dict[str, list[str]]:
    """{trader_id: the symbols that cool down}."""
    rows = TraderSymbolCooldown.objects.filter(trader_id__in=trader_ids, cooldown_until__gt=Now()).order_by("symbol")
    found: dict[str, list[str]] = {}
    for trader_id, symbol in rows.values_list("trader_id", "symbol"):
        found.setdefault(trader_id, []).append(symbol)
    return found
