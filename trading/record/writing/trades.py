"""Trades: recorded once, read often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from traders.database import sql
from traders.schema import jsonio
from trading.models import Trade as TradeRow
from trading.record.rules.errors import RecordConflict
from trading.record.rules.identity import Likeness, likeness
from trading.record.stored import rows
from trading.record.stored.constraints import checked
from trading.record.writing.locks import lock_record
from trading.schema.ids import short_digest
from trading.schema.tolerant import NotReadable
from trading.schema.trade import FillType, TradeRecord

_INSERT = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
"""
# Named columns only, so that the covering index answers alone.
_RECENT = """
SELECT close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity
  FROM trades WHERE trader_id = %s AND exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT %s
"""


def record_trade(trade: TradeRecord) -> bool:
    """False when this trade is recorded already, whichever way it came.

    Raises RecordConflict when the one that is recorded contradicts it, UnknownTrader, and django.db.IntegrityError for
    what the database's own checks refuse.
    """
    return recorded(trade)[1]


def recorded(trade: TradeRecord) -> tuple[TradeRecord, bool]:
    """(the trade as it is stored, whether it is new); otherwise as `record_trade`. One that came first keeps its id."""
    with transaction.atomic():
        lock_record([trade.trader_id])
        return insert(trade)


def insert(trade: TradeRecord) -> tuple[TradeRecord, bool]:
    """In the caller's transaction, which holds the trader's lock; otherwise as `recorded`."""
    known = beside(trade)
    if known and trade.id == known.id and _differs(known, trade):
        raise RecordConflict("trade", known.id)
    if known:
        return known, False
    new = replace(trade, id=free_id(trade))
    add(new)
    return new, True


def add(new: TradeRecord) -> None:
    """The row, whatever stands beside it. In the caller's transaction, which holds the trader's lock."""
    with checked(new.trader_id), connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [new.id, new.trader_id, new.symbol, new.side, new.close_ts_ms, jsonio.dumps(new.stored())]
        )


def beside(trade: TradeRecord) -> TradeRecord | None:
    """The trade that is recorded already and is this one. Raises RecordConflict for one that contradicts it, and for
    one that has its id and cannot be read."""
    stored(trade.id)
    found = [(likeness(known, trade), known) for known in closed_at(trade.trader_id, trade.symbol, trade.close_ts_ms)]
    # Of a trade and its corrections one may say the same.
    for wanted in (Likeness.SAME, Likeness.CONTRADICTION):
        known = next((known for like, known in found if like is wanted), None)
        if known and wanted is Likeness.CONTRADICTION:
            raise RecordConflict("trade", known.id)
        if known:
            return known
    return None


def closed_at(trader_id: str, symbol: str, close_ts_ms: int) -> list[TradeRecord]:
    """Those of one trader and symbol that closed in this millisecond; those that cannot be read are left out."""
    return list(
        rows.trades(rows.TRADES.filter(trader=trader_id, symbol=symbol, close_ts_ms=close_ts_ms).order_by("pk"))
    )


def free_id(trade: TradeRecord) -> str:
    """Its own id, or where another trade with other fills has that, one that names the fill of its entry as well."""
    if not TradeRow.objects.filter(pk=trade.id).exists():
        return trade.id
    entered = (fill.fill_id for fill in trade.detail.fills if fill.type is FillType.ENTRY)
    last = next((fill_id for fill_id in entered if fill_id is not None), None)
    return f"{trade.id}|{last if last is not None else short_digest(trade.stored())}"


def _differs(known: TradeRecord, new: TradeRecord) -> bool:
    """Of two with one id, which came by one way: all but their versions, of which more may be known by now."""
    return replace(known, detail=known.detail.model_copy(update={"versions": None})) != replace(
        new, detail=new.detail.model_copy(update={"versions": None})
    )


def stored(trade_id: str) -> TradeRecord | None:
    """None where there is none. Raises RecordConflict for one that cannot be read: it is not what is asked for."""
    row = rows.TRADES.filter(pk=trade_id).first()
    try:
        return rows.trade(row) if row else None
    except NotReadable as error:
        raise RecordConflict("trade", trade_id, str(error)) from error


def recent(trader_id: str, limit: int) -> list[Any]:
    """The last trades: (close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity), newest first."""
    return sql.rows(_RECENT, [trader_id, limit])
