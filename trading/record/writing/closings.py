"""Finds the trades that closed a position, by the order that opened it."""

from __future__ import annotations

from collections.abc import Collection

from traders.database import sql
from trading.record.stored import rows
from trading.record.stored.safe_sql import items
from trading.schema.trade import TradeRecord

Opening = tuple[str, str, str]
"""(trader, symbol, entry order id as text)."""

_CLOSED = f"""
SELECT t.id, e.trader_id, e.symbol, e.order_id
  FROM unnest(%s::text[], %s::text[], %s::text[]) AS e (trader_id, symbol, order_id)
  JOIN trades t ON t.trader_id = e.trader_id AND t.symbol = e.symbol
 WHERE EXISTS (SELECT 1 FROM jsonb_array_elements({items("t.detail", "fills")}) AS fill
                WHERE fill ->> 'type' = 'entry' AND fill ->> 'order_id' = e.order_id)
"""


def trades_that_closed(openings: Collection[Opening]) -> dict[Opening, list[TradeRecord]]:
    """{opening: its trades in order of their closes}. Openings without trades and unreadable trades are left out."""
    asked = list(openings)
    rows_found = sql.rows(_CLOSED, [[one[part] for one in asked] for part in range(3)])
    found = [(row.id, (row.trader_id, row.symbol, row.order_id)) for row in rows_found]
    ids, traders = {trade_id for trade_id, _ in found}, {trader_id for _, (trader_id, *_rest) in found}
    stored = {one.id: one for one in rows.trades(rows.TRADES.named(ids, traders))}
    closed: dict[Opening, list[TradeRecord]] = {}
    for trade_id, opening in found:
        if trade_id in stored:
            closed.setdefault(opening, []).append(stored[trade_id])
    return {opening: sorted(trades, key=lambda trade: trade.close_ts_ms) for opening, trades in closed.items()}
