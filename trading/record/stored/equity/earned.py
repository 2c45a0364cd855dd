"""SQL of what traders earned and when: realized P&L by fill, of closed trades and of open positions.

A trade without an exit before its close earned all of its net P&L at the close. The others are few and have an index
(`idx_trades_in_parts`): each of their fills counts at its moment, and the close counts what is left.
"""

from __future__ import annotations

from trading.record.stored.safe_sql import is_bounded, is_moment_ms, items, moment_ms, number

# As the index says it, else it would not serve.
IN_PARTS = """t.detail @? '$.fills[*] ? (@.type == "exit" && @.ts_ms < $.time.close_ts_ms)'"""


def of_fill(fill: str, trade: str = "t") -> str:
    """numeric: what an exit earned, less the commission of any fill. `fill` is its JSON, `trade` the row."""
    move = f"{number(fill, 'price')} - {number(f'{trade}.detail', 'prices.avg_entry')}"
    gross = f"""coalesce({number(fill, "closed_pnl")},
               CASE {trade}.side WHEN 'short' THEN -1 ELSE 1 END * ({move}) * {number(fill, "quantity")}, 0)"""
    return (
        f"""CASE WHEN {fill} ->> 'type' = 'exit' THEN {gross} ELSE 0 END - coalesce({number(fill, "commission")}, 0)"""
    )


def of_event(event: str) -> str:
    """numeric: what an event of a position earned, less its commission, plus funding."""
    return f"""coalesce({number(event, "gross")}, 0) - coalesce({number(event, "commission")}, 0)
               + coalesce({number(event, "funding")}, 0)"""


def of_entry(detail: str) -> str:
    """numeric: the commission that was paid for an entry, below 0; 0 where events tell it."""
    without_events = f"{items(detail, 'events')} = '[]'::jsonb"
    return f"""CASE WHEN {without_events} THEN - coalesce({number(detail, "entry.commission")}, 0) ELSE 0 END"""


def earned(where: str) -> str:
    """A statement of rows (trader_id, entry_version, ts_ms, amount in USD). `where` is a condition on `t`, a row of
    trades or of positions."""
    return f"""
    SELECT t.trader_id, t.entry_version, t.close_ts_ms AS ts_ms, t.net_pnl AS amount
      FROM trades t
     WHERE {where} AND t.exclusion_id IS NULL AND {is_bounded("t.net_pnl")} AND {is_moment_ms("t.close_ts_ms")}
    UNION ALL
    SELECT p.trader_id, p.entry_version, unnest(ARRAY[p.ts_ms, p.close_ts_ms]), unnest(ARRAY[p.amount, -p.amount])
      FROM (SELECT t.trader_id, t.entry_version, t.close_ts_ms, {moment_ms("f", "ts_ms")} AS ts_ms,
                   {of_fill("f")} AS amount
              FROM trades t CROSS JOIN LATERAL jsonb_array_elements({items("t.detail", "fills")}) AS f
             WHERE {where} AND t.exclusion_id IS NULL AND {IN_PARTS} AND {is_bounded("t.net_pnl")}
               AND {is_moment_ms("t.close_ts_ms")}) p
     WHERE p.ts_ms < p.close_ts_ms
    UNION ALL
    SELECT t.trader_id, t.entry_version, t.opened_ms, {of_entry("t.detail")}
      FROM positions t
     WHERE {where} AND t.status = 'open' AND t.exclusion_id IS NULL AND {is_moment_ms("t.opened_ms")}
    UNION ALL
    SELECT e.trader_id, e.entry_version, e.ts_ms, e.amount
      FROM (SELECT t.trader_id, t.entry_version, {moment_ms("e", "at_ms")} AS ts_ms, {of_event("e")} AS amount
              FROM positions t CROSS JOIN LATERAL jsonb_array_elements({items("t.detail", "events")}) AS e
             WHERE {where} AND t.status = 'open' AND t.exclusion_id IS NULL) e
     WHERE e.ts_ms IS NOT NULL
"""
