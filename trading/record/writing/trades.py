"""Trades: recorded once, read often."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from traders.schema import jsonio
from trading.record.rules.errors import RecordConflict
from trading.record.stored import rows
from trading.record.stored.constraints import checked
from trading.schema.tolerant import NotReadable
from trading.schema.trade import Trade

_INSERT = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb) ON CONFLICT (id) DO NOTHING
"""
# Named columns only, so that the covering index answers alone.
_RECENT = """
SELECT close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity
  FROM trades WHERE trader_id = %s AND exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT %s
"""


def record_trade(trade: Trade) -> bool:
    """False when exactly this trade is recorded already.

    Raises RecordConflict when its id is taken by another one, UnknownTrader, and django.db.IntegrityError for what
    the database's own checks refuse.
    """
    with transaction.atomic():
        return insert(trade)


def insert(trade: Trade) -> bool:
    """In the caller's transaction; otherwise as `record_trade`."""
    detail = trade.stored()
    with checked(trade.trader_id), connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [trade.id, trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, jsonio.dumps(detail)],
        )
        is_new = bool(cursor.rowcount)
    if is_new:
        return True
    if stored(trade.id) != trade:
        raise RecordConflict("trade", trade.id)
    return False


def stored(trade_id: str) -> Trade | None:
    """None where there is none. Raises RecordConflict for one that cannot be read: it is not what is asked for."""
    row = rows.TRADES.filter(pk=trade_id).first()
    try:
        return rows.trade(row) if row else None
    except NotReadable as error:
        raise RecordConflict("trade", trade_id, str(error)) from error


def recent(trader_id: str, limit: int) -> list[Any]:
    """The last trades: (close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity), newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, [trader_id, limit])
        return list(cursor.fetchall())
