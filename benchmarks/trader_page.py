"""The page of a trader with a long record: a million points of equity, a hundred thousand trades and decisions."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.urls import reverse

from benchmarks import trading_rows
from benchmarks.browser import HOW, Page, measured, signed_in
from benchmarks.long_history import write_long_history
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from trading.live import services as live

TRADER, TRADERS = "trader_001", 5
TRADES, VERSIONS, DECISIONS = 100_000, 1_000, 100_000
# A page's time limit holds for each statement.
BATCH = 50_000
# A point a minute up to now; of the others one an hour, so that the fleet has a return.
EQUITY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, source)
SELECT %(trader)s, (extract(epoch FROM now()) * 1000)::bigint - n * %(step)s::bigint,
       round((10000 + 4000 * sin(n / 9000.0) + n / 500.0)::numeric, 2), 'engine'
  FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""


def run(points: int, say: Callable[[str], None]) -> list[Table]:
    say(f"a trader with {points:,} points of equity, {TRADES:,} trades, {VERSIONS:,} versions, {DECISIONS:,} decisions")
    empty_tables()
    with connection.cursor() as cursor:
        # Whatever is made here may take longer than a page.
        cursor.execute("SET statement_timeout = 0")
    first_ms = int(time.time() * 1000) - TRADES * trading_rows.MS_A_TRADE
    trading_rows.make_record(traders=TRADERS, trades=TRADES * TRADERS, first_ms=first_ms)
    _make(points)
    live.rebuild_all()
    client = signed_in()
    url = reverse("admin:traders_traderconfig_overview", args=[TRADER])
    pages = {"range of 7 days": url, **{f"range of {name}": f"{url}?range={name}" for name in ("1d", "30d", "all")}}
    pages["the oldest versions"] = f"{url}?versions={VERSIONS // 10}"
    rows = []
    for name, address in pages.items():
        say(name)
        found = measured(client, Page(address))
        rows.append((name, found.at(0.5), found.at(0.95), str(found.queries), f"{found.kilobytes:.0f}"))
    title = f"The page of a trader with {points:,} points of equity, {TRADES:,} trades and {DECISIONS:,} decisions"
    return [Table(title, ("Page", "p50 ms", "p95 ms", "queries", "KB"), rows, (HOW,))]


def _make(points: int) -> None:
    with connection.cursor() as cursor:
        for first in range(1, points, BATCH):
            asked = {"trader": TRADER, "step": 60_000, "first": first, "last": min(first + BATCH - 1, points)}
            cursor.execute(EQUITY, asked)
        for number in range(2, TRADERS + 1):
            asked = {"trader": f"trader_{number:03}", "step": 3_600_000, "first": 1, "last": points // 60}
            cursor.execute(EQUITY, asked)
    trading_rows.make_decisions(DECISIONS, [TRADER])
    write_long_history(TRADER, versions=VERSIONS - 1, step=timedelta(microseconds=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        # A record that grew for weeks is on disk already.
        cursor.execute("CHECKPOINT")
