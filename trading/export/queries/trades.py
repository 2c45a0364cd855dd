"""The last trades of each trader, for an export that knows most of them already. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from traders.database import sql
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.record.stored import rows
from trading.record.stored.safe_sql import is_moment_ms
from trading.record.stored.unreadable import note
from trading.schema.trade import TradeRecord
from trading.schema.unreadable import NO_MOMENT_MS, Unreadable

# Those that are known to be unreadable take no other trade's place.
_RECENT = f"""
SELECT t.id FROM trader_config c CROSS JOIN LATERAL (
       SELECT id, close_ts_ms FROM trades
        WHERE trader_id = c.id AND exclusion_id IS NULL AND {is_moment_ms("close_ts_ms")} AND id <> ALL (%s)
        ORDER BY close_ts_ms DESC, id DESC LIMIT %s) t
 ORDER BY t.close_ts_ms, t.id
"""


# Two ends of an index.
_MISDATED = f"""
SELECT id FROM trades
 WHERE (close_ts_ms < {EARLIEST_MS} OR close_ts_ms > {LATEST_MS}) AND exclusion_id IS NULL LIMIT %s
"""
MOST_MISDATED = 1_000


def recent_ids(of_each: int, *, but: Collection[str] = ()) -> list[str]:
    """Of each trader its last trades but for some, the fleet's together in order of their closes."""
    return sql.values(_RECENT, [list(but), of_each])


def by_ids(trade_ids: Collection[str]) -> list[TradeRecord]:
    """Those that can be read."""
    return list(rows.trades(rows.TRADES.filter(pk__in=trade_ids))) if trade_ids else []


def note_misdated() -> None:
    """Names the trades of a time that is none: they are among no last ones."""
    for trade_id in sql.values(_MISDATED, [MOST_MISDATED]):
        note(Unreadable("trades", trade_id, "close_ts_ms", NO_MOMENT_MS))
