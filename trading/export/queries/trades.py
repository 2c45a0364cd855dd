"""The last trades of each trader, for an export that knows most of them already. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from traders.database import sql
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.record.stored import rows
from trading.record.stored.safe_sql import is_moment_ms
from trading.record.stored.spread import reads
from trading.record.stored.unreadable import note
from trading.schema.trade import TradeRecord
from trading.schema.unreadable import NO_MOMENT_MS, Unreadable

# Those that are known to be unreadable take no other trade's place.
_RECENT = f"""
SELECT t.id, wanted.id AS trader_id, t.close_ts_ms
  FROM unnest(%(traders)s::text[]) AS wanted (id) CROSS JOIN LATERAL (
       SELECT id, close_ts_ms FROM trades
        WHERE trader_id = wanted.id AND exclusion_id IS NULL AND {is_moment_ms("close_ts_ms")} AND id <> ALL (%(but)s)
        ORDER BY close_ts_ms DESC, id DESC LIMIT %(most)s) t
"""


# Two ends of an index.
_MISDATED = f"""
SELECT id FROM trades
 WHERE (close_ts_ms < {EARLIEST_MS} OR close_ts_ms > {LATEST_MS}) AND exclusion_id IS NULL LIMIT %s
"""
MOST_MISDATED = 1_000


def recent_ids(of_each: int, *, but: Collection[str] = ()) -> dict[str, str]:
    """{id: its trader} of each trader's last trades but for some, the fleet's together in order of their closes."""
    found = reads.rows(_RECENT, {"traders": reads.FLEET, "but": list(but), "most": of_each})
    return {row.id: row.trader_id for row in sorted(found, key=lambda row: (row.close_ts_ms, row.id))}


def by_ids(owners: Mapping[str, str]) -> list[TradeRecord]:
    """Those that can be read, by {id: its trader}."""
    return list(rows.trades(rows.TRADES.named(owners, set(owners.values())))) if owners else []


def note_misdated() -> None:
    """Names the trades of a time that is none: they are among no last ones."""
    for trade_id in sql.values(_MISDATED, [MOST_MISDATED]):
        note(Unreadable("trades", trade_id, "close_ts_ms", NO_MOMENT_MS))
