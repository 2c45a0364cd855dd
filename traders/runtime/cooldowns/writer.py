"""Cooldowns of symbols: written by engines, the last writer wins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from traders.models import TraderSymbolCooldown
from traders.runtime.writer import as_object
from traders.schema import jsonio
from traders.schema.runtime import Cooldown

_PUT = """
INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail)
SELECT id, %s, %s, %s::jsonb FROM trader_config WHERE id = %s
    ON CONFLICT (trader_id, symbol) DO UPDATE
   SET cooldown_until = excluded.cooldown_until, detail = excluded.detail, created_at = clock_timestamp()
"""


def put(trader_id: str, symbol: str, until: datetime, detail: dict[str, Any]) -> bool:
    """False where there is no such trader."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT, [symbol, until, jsonio.dumps(detail), trader_id])
        return bool(cursor.rowcount)


def holding(trader_id: str) -> list[Cooldown]:
    """Those that are not over, by symbol."""
    rows = TraderSymbolCooldown.objects.filter(trader_id=trader_id, cooldown_until__gt=Now()).order_by("symbol")
    return [Cooldown(trader_id, row.symbol, row.cooldown_until, as_object(row.detail)) for row in rows]
