"""The last trades of each trader, for an export that knows most of them already. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from trading.models import Trade as TradeRow
from trading.repositories import rows
from trading.schema.trade import Trade

_RECENT = """
SELECT t.id FROM trader_config c CROSS JOIN LATERAL (
       SELECT id, close_ts_ms FROM trades WHERE trader_id = c.id ORDER BY close_ts_ms DESC, id DESC LIMIT %s) t
 ORDER BY t.close_ts_ms, t.id
"""


def recent_ids(of_each: int) -> list[str]:
    """Of each trader its last trades, the fleet's together in order of their closes."""
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, [of_each])
        return [trade_id for (trade_id,) in cursor.fetchall()]


def by_ids(trade_ids: Collection[str]) -> list[Trade]:
    return [rows.trade(row) for row in TradeRow.objects.filter(pk__in=trade_ids)] if trade_ids else []
