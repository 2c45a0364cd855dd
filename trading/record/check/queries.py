"""What must hold between rows of the record, and constraints that rows from before them may break.

A new rule is one entry of RULES. A constraint that was added NOT VALID needs none: it is found in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction

from traders.database import sql
from traders.database.not_valid import Broken, Unvalidated, unvalidated, validate_what_holds
from trading.record.stored.safe_sql import moment_ms
from trading.record.stored.stored_rows import SOURCES
from trading.schema.unreadable import Unreadable

BATCH = 1_000


@dataclass(frozen=True)
class Rule:
    """`broken` is a statement that gives (id, path, reason) of each row of `table` that breaks the rule."""

    name: str
    table: str
    broken: str


_SUMS = """
SELECT concat_ws('|', trader_id, entry_version) AS id, '' AS path,
       format('must equal the sums of its trades: %s trades with a net P&L of %s, is %s with %s',
              coalesce(t.trades, 0), coalesce(t.net, 0), coalesce(r.trades, 0), coalesce(r.net_pnl, 0)) AS reason
  FROM version_results r
  FULL JOIN (SELECT trader_id, coalesce(entry_version, 0) AS entry_version, count(*) AS trades, sum(net_pnl) AS net,
                    count(*) FILTER (WHERE net_pnl > 0) AS wins, count(*) FILTER (WHERE net_pnl < 0) AS losses,
                    min(close_ts_ms) AS first, max(close_ts_ms) AS last
               FROM trades WHERE exclusion_id IS NULL GROUP BY 1, 2) t USING (trader_id, entry_version)
 WHERE (r.trades, r.wins, r.losses, r.net_pnl, r.first_close_ms, r.last_close_ms)
       IS DISTINCT FROM (t.trades, t.wins, t.losses, t.net, t.first, t.last)
"""
# By trader, symbol and time of the close, as a ticket finds it; the index is that of a trader's trades by time.
_CLOSED_WITHOUT_TRADE = f"""
SELECT p.id, 'detail.close' AS path, 'has no trade that closed at its time' AS reason
  FROM (SELECT id, trader_id, symbol, {moment_ms("detail", "close.time_ms")} AS closed_ms
          FROM positions WHERE status = 'closed' AND exclusion_id IS NULL) p
 WHERE p.closed_ms IS NOT NULL
   AND NOT EXISTS (SELECT FROM trades t
                    WHERE t.trader_id = p.trader_id AND t.symbol = p.symbol AND t.close_ts_ms = p.closed_ms)
"""
_CLOSE_REFUSED = """
SELECT p.id, 'close' AS path,
       format('was refused %s times, the last time at %s: its moment lay %s s ahead of this server''s clock',
              c.refused, to_char(c.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
              round(c.ahead_ms / 1000.0)) AS reason
  FROM (SELECT trader_id, symbol, sum(refused) AS refused, max(last_at) AS last_at, max(ahead_ms) AS ahead_ms
          FROM clock_refusals WHERE what = 'close' GROUP BY trader_id, symbol) c
  JOIN positions p USING (trader_id, symbol)
 WHERE p.status = 'open' AND p.exclusion_id IS NULL AND c.last_at >= p.created_at
"""
RULES = (
    Rule("results of versions are the sums of their trades", "version_results", _SUMS),
    Rule("a closed position has its trade", "positions", _CLOSED_WITHOUT_TRADE),
    Rule("no close of an open position was refused", "positions", _CLOSE_REFUSED),
)


def not_valid() -> list[Rule]:
    """The constraints that the database holds new rows to and has never asked of those before them."""
    return [_of_constraint(constraint) for constraint in unvalidated(connection, SOURCES)]


def validated() -> list[Broken]:
    """Has PostgreSQL validate every constraint of the database that no row breaks, and returns the others."""
    return validate_what_holds(connection)


def broken(rule: Rule) -> Iterator[Unreadable]:
    """The rows that break it, some at a time. A rule that cannot be asked is one finding, not the end."""
    try:
        with transaction.atomic():
            sql.execute(f"DECLARE nof0_rule NO SCROLL CURSOR FOR {rule.broken}")
            while found := sql.rows(f"FETCH {BATCH} FROM nof0_rule"):
                yield from (Unreadable(rule.table, str(row.id), row.path, row.reason) for row in found)
            # The cursor would stay open until the end of a transaction of the caller's.
            sql.execute("CLOSE nof0_rule")
    except DatabaseError as error:
        lines = str(error).splitlines()
        yield Unreadable(rule.table, "", "", f"cannot be asked whether {rule.name}: {lines[0] if lines else ''}")


def _of_constraint(constraint: Unvalidated) -> Rule:
    table, name = constraint.table, constraint.name
    keys = ", ".join(column for column, _kind in SOURCES[table].keys)
    breaks = constraint.breaks.as_string(None)
    return Rule(
        f"the constraint {name} holds",
        table,
        f"SELECT concat_ws('|', {keys}) AS id, '' AS path, 'breaks the constraint {name}' AS reason"
        f" FROM {table} AS t WHERE {breaks}",
    )
