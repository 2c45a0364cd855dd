"""Accounts over time, by the hour of the fleet. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from trading.analytics.queries import is_equity
from trading.record.stored.safe_sql import EQUITY_COUNTS, EQUITY_IS_READABLE, bounded, is_bounded, is_moment_ms
from trading.schema.published import AccountPoint

# By the index of times; a row of another time, or without an equity that can be worked with, counts in nothing here.
_INCEPTION = f"""
SELECT (SELECT ts_ms FROM equity_snapshots WHERE {EQUITY_COUNTS} ORDER BY ts_ms LIMIT 1),
       (SELECT ts_ms FROM equity_snapshots WHERE {EQUITY_COUNTS} ORDER BY ts_ms DESC LIMIT 1)
"""
_UNREADABLE = f"""
SELECT trader_id, ts_ms, equity_usd FROM equity_snapshots
 WHERE NOT ({EQUITY_IS_READABLE}) AND exclusion_id IS NULL LIMIT %(most)s
"""
# More are counted by `check_record`; a page shows no more.
MOST_UNREADABLE = 1_000
# Of each trader its preferred source, as the analytics choose it.
_SOURCES = f"""
SELECT trader_id, (array_agg(source ORDER BY source <> 'engine', source <> 'imported', source))[1]
  FROM (SELECT DISTINCT trader_id, source FROM equity_snapshots WHERE {EQUITY_COUNTS}) s GROUP BY trader_id
"""
_POINTS = f"""
WITH ranked AS (
    SELECT e.*, (ts_ms - %(inception)s) / 3600000 AS marker,
           row_number() OVER (PARTITION BY trader_id, (ts_ms - %(inception)s) / 3600000 ORDER BY ts_ms) AS place,
           row_number() OVER (PARTITION BY trader_id ORDER BY ts_ms DESC) AS from_end,
           row_number() OVER (PARTITION BY trader_id ORDER BY ts_ms) AS from_start
      FROM equity_snapshots e JOIN unnest(%(traders)s::text[], %(sources)s::text[]) AS preferred (trader_id, source)
     USING (trader_id, source) WHERE {EQUITY_COUNTS})
SELECT trader_id, ts_ms, equity_usd, {bounded("realized_pnl_usd")}, {bounded("unrealized_pnl_usd")} FROM ranked
 WHERE from_end = 1 OR from_start = 1
    OR (place = 1 AND (marker %% %(step)s = 0 OR marker > %(newest)s - %(whole)s))
 ORDER BY trader_id, ts_ms
"""
_SINCE = f"""
SELECT trader_id, source, ts_ms, equity_usd, {bounded("realized_pnl_usd")}, {bounded("unrealized_pnl_usd")}
  FROM equity_snapshots WHERE ts_ms >= %(since)s AND exclusion_id IS NULL ORDER BY ts_ms
"""
_DERIVED = f"""
SELECT trader_id, max(close_ts_ms), sum(net_pnl)
  FROM trades
 WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NULL AND {is_bounded("net_pnl")}
   AND {is_moment_ms("close_ts_ms")}
 GROUP BY trader_id, (close_ts_ms - %(inception)s) / 3600000 ORDER BY trader_id, 2
"""


def bounds() -> tuple[int, int] | None:
    """The first and the last moment of which any equity is recorded."""
    ((first, last),) = _rows(_INCEPTION)
    return None if first is None else (first, last)


def preferred_sources() -> dict[str, str]:
    """{trader: the series that counts} of those with recorded equity."""
    return dict(_rows(_SOURCES))


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
    for row in _rows(_POINTS, asked):
        found.setdefault(row[0], []).append(AccountPoint(*row))
    return found


def since(ts_ms: int) -> list[tuple[str, AccountPoint]]:
    """(source, point) of every trader at or after a moment, in order of time."""
    return [
        (source, AccountPoint(name, *rest))
        for name, source, *rest in _rows(_SINCE, {"since": ts_ms})
        if is_equity(name, *rest[:2])
    ]


def note_unreadable() -> None:
    """Names the rows that nothing here counts. Reads the whole table."""
    for row in _rows(_UNREADABLE, {"most": MOST_UNREADABLE}):
        is_equity(*row)


def earned_by_hour(trader_ids: Collection[str], inception_ms: int) -> dict[str, list[Any]]:
    """{trader: (last close of the hour, net P&L of the hour)}, ascending, from the trades alone."""
    found: dict[str, list[Any]] = {}
    for trader_id, ts_ms, net in _rows(_DERIVED, {"traders": list(trader_ids), "inception": inception_ms}):
        found.setdefault(trader_id, []).append((ts_ms, net))
    return found


def _rows(sql: str, asked: dict[str, Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return list(cursor.fetchall())
