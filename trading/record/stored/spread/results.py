"""The sums of each version's trades, written by the writer where no trigger keeps them.

The twins of `nof0_add_version_results`, `nof0_move_version_results` and their funding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from traders.database import sql
from trading.record.stored.safe_sql import number
from trading.record.stored.spread.form import is_spread

_SUMS = f"""
INSERT INTO version_results AS r (trader_id, entry_version, trades, wins, losses, straddling,
                                  net_pnl, gross_pnl, commission, funding, first_close_ms, last_close_ms)
SELECT trader_id, coalesce(entry_version, 0), count(*),
       count(*) FILTER (WHERE net_pnl > 0), count(*) FILTER (WHERE net_pnl < 0),
       count(*) FILTER (WHERE detail #> '{{versions,entry}}' IS DISTINCT FROM detail #> '{{versions,exit}}'),
       sum(net_pnl), sum((detail #>> '{{pnl,gross}}')::numeric), sum((detail #>> '{{pnl,commission}}')::numeric),
       coalesce(sum({number("detail", "pnl.funding")}), 0), min(close_ts_ms), max(close_ts_ms)
  FROM trades
"""
_ADD = f"""{_SUMS} WHERE trader_id = %(trader)s AND id = ANY (%(ids)s) GROUP BY 1, 2
    ON CONFLICT (trader_id, entry_version) DO UPDATE
   SET trades = r.trades + EXCLUDED.trades, wins = r.wins + EXCLUDED.wins, losses = r.losses + EXCLUDED.losses,
       straddling = r.straddling + EXCLUDED.straddling, net_pnl = r.net_pnl + EXCLUDED.net_pnl,
       gross_pnl = r.gross_pnl + EXCLUDED.gross_pnl, commission = r.commission + EXCLUDED.commission,
       funding = r.funding + EXCLUDED.funding,
       first_close_ms = least(r.first_close_ms, EXCLUDED.first_close_ms),
       last_close_ms = greatest(r.last_close_ms, EXCLUDED.last_close_ms)
"""
_VERSION_OF = "SELECT coalesce(entry_version, 0) FROM trades WHERE trader_id = %(trader)s AND id = %(id)s"
# The row is locked before the trades are looked at again, so that every trade counts whose insert had the lock before.
_FORGET = "DELETE FROM version_results WHERE trader_id = %(trader)s AND entry_version = %(version)s"
_AGAIN = f"""{_SUMS} WHERE trader_id = %(trader)s AND coalesce(entry_version, 0) = %(version)s AND exclusion_id IS NULL
 GROUP BY 1, 2
"""


def trades_added(trades: Iterable[tuple[str, str]]) -> None:
    """After the insert of these (trader, id), in its transaction. In one order of traders, so that no two imports wait
    for each other."""
    ids = defaultdict[str, list[str]](list)
    for trader_id, trade_id in trades:
        ids[trader_id].append(trade_id)
    if ids and is_spread():
        for trader_id in sorted(ids):
            sql.execute(_ADD, {"trader": trader_id, "ids": ids[trader_id]})


def trade_marked(trader_id: str, trade_id: str) -> None:
    """After the trade was set aside or included again: the sums of its version are made again from its trades. Only
    where the record is spread."""
    version = sql.value(_VERSION_OF, {"trader": trader_id, "id": trade_id})
    given = {"trader": trader_id, "version": version}
    for statement in (_FORGET, _AGAIN):
        sql.execute(statement, given)
