"""What alarms watch in the database. Each statement begins at an index or reads a table that stays small."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from traders.database import sql
from traders.runtime.rules import GRACE
from trading.record.stored.safe_sql import EQUITY_IS_GOOD, moment_ms
from trading.record.stored.spread import reads

# Of traders that an engine runs, by its last report. A retired one counts until it is flat.
_RUNNING = """
SELECT c.id, s.updated_at, (c.detail #>> '{llm,decision_interval_seconds}')::int AS interval_seconds,
       c.detail #>> '{llm,model}' AS model
  FROM trader_config c JOIN trader_runtime_state s ON s.trader_id = c.id
 WHERE s.is_running AND s.active_config_version IS NOT NULL
   AND (c.detail -> 'retired' IS DISTINCT FROM 'true'::jsonb OR c.id IN (
         SELECT trader_id FROM positions WHERE status = 'open' AND exclusion_id IS NULL))
"""
_OVERDUE = f"""
SELECT id, updated_at AS last, 2 * interval_seconds + %(beyond)s AS allowed_seconds FROM ({_RUNNING}) r
 WHERE updated_at < %(now)s - make_interval(secs => 2 * interval_seconds + %(beyond)s) ORDER BY id
"""
# An error is a text, or `{message, at}`. What follows a line break is the trace of a program.
_ERRORS = f"""
SELECT id, left(split_part(error, E'\\n', 1), 120) AS error
  FROM (SELECT r.id, coalesce(s.detail #>> '{{last_error,message}}', s.detail ->> 'last_error') AS error
          FROM ({_RUNNING}) r JOIN trader_runtime_state s ON s.trader_id = r.id
         WHERE s.updated_at >= %(now)s - make_interval(secs => 2 * interval_seconds + %(beyond)s)) e
 WHERE error <> '' ORDER BY id
"""
# A trader that never reported equity is none whose equity is stale.
_ALLOWED = f"""
SELECT id, greatest(2 * interval_seconds, %(seconds)s)::float8 AS seconds FROM ({_RUNNING}) r ORDER BY id
"""
_EQUITY = f"""
SELECT wanted.id, to_timestamp(e.ts_ms / 1000.0) AS last, wanted.allowed_seconds
  FROM unnest(%(traders)s::text[], %(allowed)s::float8[]) AS wanted (id, allowed_seconds)
 CROSS JOIN LATERAL (SELECT ts_ms FROM equity_snapshots WHERE trader_id = wanted.id AND {EQUITY_IS_GOOD}
                      ORDER BY ts_ms DESC LIMIT 1) e
 WHERE e.ts_ms < extract(epoch FROM %(now)s) * 1000 - 1000 * wanted.allowed_seconds ORDER BY wanted.id
"""
# Only of traders that an engine reports on: a record that was imported has no live orders.
_NO_STOP = """
SELECT p.trader_id, p.symbol, p.side FROM positions p JOIN trader_runtime_state s ON s.trader_id = p.trader_id
 WHERE p.status = 'open' AND p.exclusion_id IS NULL AND s.active_config_version IS NOT NULL
   AND p.detail #> '{orders,sl_oid}' IS NULL AND p.opened_ms < %s ORDER BY p.trader_id, p.symbol
"""
_OPEN_POSITIONS = "SELECT count(*) FROM positions WHERE status = 'open' AND exclusion_id IS NULL"
_LIQUIDATED = """
SELECT id, trader_id, symbol, side, net_pnl FROM trades
 WHERE close_ts_ms > %(since_ms)s AND created_at > %(since)s AND exclusion_id IS NULL
   AND jsonb_path_exists(detail, '$.fills[*].liquidation') ORDER BY close_ts_ms
"""
# Also of an increase of a position that was opened long before. What was imported or corrected is no fact of now.
_MARK = f"""detail #>> '{{against_control,control_id}}' AS control_id,
               detail #>> '{{against_control,reason}}' AS reason,
               {moment_ms("detail", "against_control.at_ms")} AS at_ms"""
_MARKED = """exclusion_id IS NULL AND detail -> 'against_control' IS NOT NULL
           AND detail -> 'origin' IS NULL AND detail -> 'corrects' IS NULL"""
_AGAINST_CONTROL = f"""
SELECT DISTINCT ON (at_ms, trader_id, symbol) trader_id, symbol, side, at_ms, control_id, reason
  FROM (SELECT trader_id, symbol, side, {_MARK}
          FROM positions WHERE updated_at > %(since)s AND {_MARKED}
         UNION ALL
        SELECT trader_id, symbol, side, {_MARK}
          FROM trades WHERE close_ts_ms > %(since_ms)s AND created_at > %(since)s AND {_MARKED}) p
 WHERE at_ms > %(since_ms)s ORDER BY at_ms, trader_id, symbol
"""
# Of the models that traders use now; a success after the failures ends it.
_FAILED = """
SELECT model, count(*) AS failed, array_agg(DISTINCT trader_id ORDER BY trader_id) AS traders
  FROM (SELECT c.detail #>> '{llm,model}' AS model, j.trader_id, j.success, j.decided_at,
               max(j.decided_at) FILTER (WHERE j.success) OVER (PARTITION BY c.detail #>> '{llm,model}') AS succeeded
          FROM decision_journal j JOIN trader_config c ON c.id = j.trader_id
         WHERE j.decided_at > %(since)s AND j.exclusion_id IS NULL) d
 WHERE NOT success AND (succeeded IS NULL OR decided_at > succeeded)
 GROUP BY model ORDER BY model
"""
_CONFLICTS = """
SELECT count(*) AS waiting, min(seen_at) AS first, array_agg(DISTINCT config_id ORDER BY config_id) AS configs
  FROM sync_conflicts WHERE seen_at < %s
"""
_CLOCKS = """
SELECT array_agg(DISTINCT trader_id ORDER BY trader_id) AS traders, sum(refused)::bigint AS refused,
       max(ahead_ms) AS ahead_ms
  FROM clock_refusals WHERE last_at > %s
"""
_WITHOUT_TRADE = f"""
SELECT p.id, p.trader_id, p.symbol
  FROM (SELECT id, trader_id, symbol, {moment_ms("detail", "close.time_ms")} AS closed_ms
          FROM positions
         WHERE status = 'closed' AND exclusion_id IS NULL AND updated_at > %(since)s AND updated_at < %(until)s) p
 WHERE p.closed_ms IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM trades t
                    WHERE t.trader_id = p.trader_id AND t.symbol = p.symbol AND t.close_ts_ms = p.closed_ms)
 ORDER BY p.id LIMIT 1000
"""


_BACKLOG = """
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(d.created_at)), 0)::float8 AS oldest_seconds,
       coalesce(extract(epoch FROM clock_timestamp() - min(d.created_at) FILTER (WHERE a.severity = 'page')), 0)::float8
           AS oldest_page_seconds
  FROM alarm_deliveries d JOIN alarms a ON a.id = d.alarm_id WHERE d.status = 'waiting'
"""


def backlog() -> Any:
    """(waiting, oldest_seconds, oldest_page_seconds) of the outbox."""
    return sql.rows(_BACKLOG)[0]


def overdue(now: datetime, beyond_seconds: float) -> list[Any]:
    """(id, last, allowed_seconds) of traders whose engine should have reported."""
    return sql.rows(_OVERDUE, {"now": now, "beyond": beyond_seconds})


def reported_errors(now: datetime) -> list[Any]:
    """(id, error) of running traders whose last report is fresh and names an error."""
    return sql.rows(_ERRORS, {"now": now, "beyond": GRACE.total_seconds()})


def stale_equity(now: datetime, seconds: float) -> list[Any]:
    """(id, last, allowed_seconds) of running traders whose last equity is older than this and than two intervals."""
    allowed = sql.rows(_ALLOWED, {"seconds": seconds})
    given = {"traders": [one.id for one in allowed], "allowed": [one.seconds for one in allowed], "now": now}
    return reads.rows(_EQUITY, given, beside=["allowed"])


def without_stop(opened_before: datetime) -> list[Any]:
    """(trader_id, symbol, side) of open positions without a stop-loss order."""
    return sql.rows(_NO_STOP, [int(opened_before.timestamp() * 1000)])


def open_positions() -> int:
    return int(sql.value(_OPEN_POSITIONS))


def liquidated(since: datetime) -> list[Any]:
    """(id, trader_id, symbol, side, net_pnl) of trades closed and recorded since."""
    return sql.rows(_LIQUIDATED, {"since": since, "since_ms": int(since.timestamp() * 1000)})


def against_control(since: datetime) -> list[Any]:
    """(trader_id, symbol, side, at_ms, control_id, reason) of entries since that were made under a ban, by moment; the
    control is None for that of a retirement."""
    return sql.rows(_AGAINST_CONTROL, {"since": since, "since_ms": int(since.timestamp() * 1000)})


def failing_models(since: datetime) -> list[Any]:
    """(model, failed, traders) where decisions failed since the last that did not."""
    return sql.rows(_FAILED, {"since": since})


def conflicts(seen_before: datetime) -> Any:
    """(waiting, first, configs)."""
    return sql.rows(_CONFLICTS, [seen_before])[0]


def clock_refusals(since: datetime) -> Any:
    """(traders, refused, ahead_ms); traders is None where there are none."""
    return sql.rows(_CLOCKS, [since])[0]


def closes_without_trade(since: datetime, until: datetime) -> list[Any]:
    """(id, trader_id, symbol) of positions that were written as closed in this time."""
    return sql.rows(_WITHOUT_TRADE, {"since": since, "until": until})
