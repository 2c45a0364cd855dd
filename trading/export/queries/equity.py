"""Accounts over time, by the hour of the fleet. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from traders.database import sql
from trading.analytics.queries import is_equity
from trading.record.stored.equity.earned import earned
from trading.record.stored.safe_sql import EQUITY_COUNTS, EQUITY_IS_GOOD, EQUITY_IS_READABLE, bounded
from trading.schema.published import AccountPoint

# By the index of times; a row of another time, or without an equity that can be worked with, counts in nothing here.
_INCEPTION = f"""
SELECT (SELECT ts_ms FROM equity_snapshots WHERE {EQUITY_COUNTS} ORDER BY ts_ms LIMIT 1) AS first,
       (SELECT ts_ms FROM equity_snapshots WHERE {EQUITY_COUNTS} ORDER BY ts_ms DESC LIMIT 1) AS last
"""
_UNREADABLE = f"""
SELECT trader_id, ts_ms, equity_usd FROM equity_snapshots
 WHERE NOT ({EQUITY_IS_READABLE}) AND exclusion_id IS NULL LIMIT %(most)s
"""
# More are counted by `check_record`; a page shows no more.
MOST_UNREADABLE = 1_000
# Of each trader its preferred source, as the analytics choose it.
_SOURCES = f"""
SELECT trader_id, (array_agg(source ORDER BY source <> 'engine', source <> 'imported', source))[1] AS source
  FROM (SELECT DISTINCT trader_id, source FROM equity_snapshots WHERE {EQUITY_COUNTS}) s GROUP BY trader_id
"""
_POINTS = f"""
WITH ranked AS (
    SELECT e.*, floor((ts_ms - %(inception)s) / 3600000.0)::bigint AS marker,
           row_number() OVER (PARTITION BY trader_id, floor((ts_ms - %(inception)s) / 3600000.0) ORDER BY ts_ms)
               AS place,
           row_number() OVER (PARTITION BY trader_id ORDER BY ts_ms DESC) AS from_end,
           row_number() OVER (PARTITION BY trader_id ORDER BY ts_ms) AS from_start,
           row_number() OVER (PARTITION BY trader_id, equity_usd > 0 ORDER BY ts_ms) AS from_start_of_sign
      FROM equity_snapshots e JOIN unnest(%(traders)s::text[], %(sources)s::text[]) AS preferred (trader_id, source)
     USING (trader_id, source) WHERE {EQUITY_COUNTS})
SELECT trader_id, ts_ms, equity_usd AS equity, {bounded("realized_pnl_usd")} AS realized,
       {bounded("unrealized_pnl_usd")} AS unrealized
  FROM ranked
 WHERE from_end = 1 OR from_start = 1 OR (from_start_of_sign = 1 AND equity_usd > 0)
    OR (place = 1 AND (marker %% %(step)s = 0 OR marker > %(newest)s - %(whole)s))
 ORDER BY trader_id, ts_ms
"""
_SINCE = f"""
SELECT trader_id, source, ts_ms, equity_usd AS equity, {bounded("realized_pnl_usd")} AS realized,
       {bounded("unrealized_pnl_usd")} AS unrealized
  FROM equity_snapshots WHERE ts_ms >= %(since)s AND {EQUITY_IS_GOOD} ORDER BY ts_ms
"""
_DERIVED = f"""
SELECT trader_id, max(ts_ms) AS last_ms, sum(amount) AS net FROM ({earned("t.trader_id = ANY (%(traders)s)")}) e
 GROUP BY trader_id, floor((ts_ms - %(inception)s) / 3600000.0) ORDER BY trader_id, last_ms
"""


def bounds() -> tuple[int, int] | None:
    """The first and the last moment of which any equity is recorded."""
    (found,) = sql.rows(_INCEPTION)
    return None if found.first is None else (found.first, found.last)


def preferred_sources() -> dict[str, str]:
    """{trader: the series that counts} of those with recorded equity."""
    return {row.trader_id: row.source for row in sql.rows(_SOURCES)}


def hourly(
    sources: dict[str, str], *, inception_ms: int, newest: int, step: int, whole: int
) -> dict[str, list[AccountPoint]]:
    """Of each trader the first point of each hour (of every `step`th hour before the last `whole` ones), its very
    first point and its last; ascending. Hours are counted from `inception_ms`."""
    asked = {
        "inception": inception_ms,
        "newest": newest,
        "step": step,
        "whole": whole,
        "traders": list(sources),
        "sources": list(sources.values()),
    }
    found: dict[str, list[AccountPoint]] = {}
    for point in sql.rows_as(AccountPoint, _POINTS, asked):
        found.setdefault(point.trader_id, []).append(point)
    return found


def since(ts_ms: int) -> list[tuple[str, AccountPoint]]:
    """(source, point) of every trader at or after a moment, in order of time."""
    return [
        (row.source, AccountPoint(row.trader_id, row.ts_ms, row.equity, row.realized, row.unrealized))
        for row in sql.rows(_SINCE, {"since": ts_ms})
        if is_equity(row.trader_id, row.ts_ms, row.equity)
    ]


def note_unreadable() -> None:
    """Names the rows that nothing here counts. Reads the whole table."""
    for row in sql.rows(_UNREADABLE, {"most": MOST_UNREADABLE}):
        is_equity(row.trader_id, row.ts_ms, row.equity_usd)


def earned_by_hour(trader_ids: Collection[str], inception_ms: int) -> dict[str, list[Any]]:
    """{trader: (last moment of the hour, P&L realized in it)}, ascending, from trades and parts of open positions."""
    found: dict[str, list[Any]] = {}
    for row in sql.rows(_DERIVED, {"traders": list(trader_ids), "inception": inception_ms}):
        found.setdefault(row.trader_id, []).append((row.last_ms, row.net))
    return found
