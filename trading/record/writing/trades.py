"""Trades: recorded once, read often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from traders.database import sql
from traders.schema import jsonio
from traders.schema.messages import _, message_of
from trading.models import Trade as TradeRow
from trading.record.rules.errors import RecordConflict
from trading.record.rules.identity import Likeness, likeness
from trading.record.stored import rows
from trading.record.stored.constraints import checked
from trading.record.stored.spread import judging, results
from trading.record.writing.locks import lock_record
from trading.schema.ids import short_digest
from trading.schema.tolerant import UnreadableLeaf
from trading.schema.trade import Fill, FillType, TradeRecord

_INSERT = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
"""
# Named columns only, so that the covering index answers alone.
RECENT = """
SELECT close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity
  FROM trades WHERE trader_id = %s AND exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT %s
"""


def record_trade(trade: TradeRecord) -> bool:
    """False when this trade is recorded already, whichever way it came.

    Raises RecordConflict when the recorded trade contradicts it, UnknownTrader, and django.db.IntegrityError for a row
    that the database refuses.
    """
    return recorded(trade)[1]


def recorded(trade: TradeRecord) -> tuple[TradeRecord, bool]:
    """(the trade as it is stored, whether it is new); otherwise as `record_trade`. The trade that came first keeps its
    id."""
    with transaction.atomic():
        lock_record([trade.trader_id])
        return insert(trade)


def insert(trade: TradeRecord) -> tuple[TradeRecord, bool]:
    """In the caller's transaction, which holds the trader's lock; otherwise as `recorded`."""
    known = beside(trade)
    if known and trade.id == known.id and _differs(known, trade):
        raise RecordConflict(_("trade"), known.id)
    if known:
        return known, False
    new = replace(trade, id=free_id(trade))
    add(new)
    return new, True


def add(new: TradeRecord) -> None:
    """Adds the row without a look at other trades. In the caller's transaction, which holds the trader's lock."""
    with checked(new.trader_id), connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [new.id, new.trader_id, new.symbol, new.side, new.close_ts_ms, jsonio.dumps(new.stored())]
        )
        results.trades_added([(new.trader_id, new.id)])
        judging.explained(moments_of([new]))


def moments_of(trades: Iterable[TradeRecord]) -> dict[str, set[int]]:
    """{trader: milliseconds of each fill and close}, which explain a step of its equity."""
    moments = defaultdict[str, set[int]](set)
    for trade in trades:
        moments[trade.trader_id] |= {trade.close_ts_ms, *(fill.ts_ms for fill in trade.detail.fills)}
    return moments


def beside(trade: TradeRecord) -> TradeRecord | None:
    """This trade, where it is recorded already. Raises RecordConflict for a recorded trade that contradicts it, and for
    an unreadable trade with its id."""
    stored(trade.id, trade.trader_id)
    found = [(likeness(known, trade), known) for known in closed_at(trade.trader_id, trade.symbol, trade.close_ts_ms)]
    # Of a trade and its corrections one may say the same.
    for wanted in (Likeness.SAME, Likeness.CONTRADICTION):
        known = next((known for like, known in found if like is wanted), None)
        if known and wanted is Likeness.CONTRADICTION:
            raise RecordConflict(_("trade"), known.id)
        if known:
            return known
    return None


def closed_at(trader_id: str, symbol: str, close_ts_ms: int) -> list[TradeRecord]:
    """The trades of one trader and symbol that closed in this millisecond; unreadable trades are left out."""
    return list(
        rows.trades(rows.TRADES.filter(trader=trader_id, symbol=symbol, close_ts_ms=close_ts_ms).order_by("pk"))
    )


def free_id(trade: TradeRecord) -> str:
    """The trade's own id. If another trade with other fills has it, an id that also names the fill of the entry."""
    if not TradeRow.objects.named([trade.id], [trade.trader_id]).exists():
        return trade.id
    entered = (fill.fill_id for fill in trade.detail.fills if fill.type is FillType.ENTRY)
    last = next((fill_id for fill_id in entered if fill_id is not None), None)
    return f"{trade.id}|{last if last is not None else short_digest(trade.stored())}"


def _differs(known: TradeRecord, new: TradeRecord) -> bool:
    """Whether two trades with one id that came the same way differ in more than what the record itself says of them:
    versions, which may have become known since, and the mark of an entry against a control. The order of the fills
    says nothing."""
    return _compared(known) != _compared(new)


def _compared(trade: TradeRecord) -> TradeRecord:
    fills = tuple(sorted(trade.detail.fills, key=_place_of))
    own = {"versions": None, "against_control": None, "fills": fills}
    return replace(trade, detail=trade.detail.model_copy(update=own))


def _place_of(fill: Fill) -> tuple[object, ...]:
    return fill.type, fill.ts_ms, str(fill.fill_id), str(fill.order_id), fill.price, fill.quantity


def stored(trade_id: str, trader_id: str | None = None) -> TradeRecord | None:
    """None where there is no such trade, or where it belongs to another trader than `trader_id`. Raises RecordConflict
    for an unreadable trade."""
    row = rows.TRADES.one(trade_id, trader_id)
    try:
        return rows.trade(row) if row else None
    except UnreadableLeaf as error:
        raise RecordConflict(_("trade"), trade_id, message_of(error)) from error


def recent(trader_id: str, limit: int) -> list[Any]:
    """The last trades: (close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity), newest first."""
    return sql.rows(RECENT, [trader_id, limit])
