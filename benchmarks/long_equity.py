"""The figures of traders with very many points of equity each: from a few points beside the transfers, or from all."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

from django.db import connection

from benchmarks import trading_rows
from benchmarks.memory import MEBIBYTE
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from trading.analytics.flows import indexed, since_start
from trading.analytics.inception import equity_with_transfers
from trading.live import queries as projection
from trading.record.stored import transfers
from trading.record.stored.equity import chains

TRANSFERS, RUNS = 24, 3
TRADES = 1_000
# A page's time limit holds for each statement.
BATCH = 100_000
PLAIN, PAID = "trader_001", "trader_002"
# A point a minute, for two years. Each deposit is in the points from its moment on.
ROWS = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, source)
SELECT id, 1700000000000 + n * 60000::bigint,
       round((10000 + 4000 * sin(n / 9000.0) + n / 500.0)::numeric, 2)
           + CASE id WHEN %(paid)s THEN 500 * (n * %(transfers)s / %(points)s) ELSE 0 END, 'engine'
  FROM unnest(ARRAY[%(plain)s, %(paid)s]) AS id, generate_series(%(first)s::bigint, %(last)s) AS n
"""
PAYMENTS = """
INSERT INTO equity_transfers (transfer_id, trader_id, ts_ms, amount_usd, kind, reason, actor)
SELECT k::text, %(paid)s, 1700000000000 + -(-k * %(points)s / %(transfers)s) * 60000::bigint, 500, 'deposit', 'r', 'a'
  FROM generate_series(1::bigint, %(transfers)s - 1) AS k
"""


def run(points: int, say: Callable[[str], None]) -> list[Table]:
    say(f"{points:,} points of equity of each of two traders, one of them with {TRANSFERS - 1} transfers")
    empty_tables()
    trading_rows.make_record(traders=2, trades=TRADES)
    asked = {"plain": PLAIN, "paid": PAID, "points": points, "transfers": TRANSFERS}
    with connection.cursor() as cursor:
        for first in range(1, points, BATCH):
            cursor.execute(ROWS, asked | {"first": first, "last": min(first + BATCH - 1, points)})
        cursor.execute(PAYMENTS, asked)
        cursor.execute("VACUUM ANALYZE equity_snapshots, equity_transfers")
    flows = transfers.flows([PAID])

    def from_all_points() -> object:
        return equity_with_transfers(projection.equity_points([PAID])[PAID], flows[PAID])

    def returns_of_all_points() -> object:
        series = projection.equity_points([PAID])[PAID]
        return {point.ts_ms: point.equity for point in indexed(since_start(series, flows[PAID]), flows[PAID]).index}

    ways: dict[str, Callable[[], object]] = {
        "live figures, with transfers, from all points (as before)": from_all_points,
        "live figures, with transfers": lambda: projection.project([PAID]),
        "live figures, without transfers": lambda: projection.project([PLAIN]),
        "returns of a cycle of the exporter, from all points (as before)": returns_of_all_points,
        "returns of a cycle of the exporter": lambda: chains.series_of(flows),
    }
    rows = []
    for name, way in ways.items():
        say(name)
        rows.append((name, seconds(_median(way)), f"{_peak(way):.1f}"))
    return [
        Table(
            f"One trader with {points:,} points of equity and {TRANSFERS - 1} transfers",
            ("What", "seconds", "peak of objects, MiB"),
            rows,
            (
                f"Medians of {RUNS} runs. The last column is what Python's own objects hold as tracemalloc sees it, in "
                "a run of its own; PostgreSQL is apart.",
            ),
        )
    ]


def _median(way: Callable[[], object]) -> float:
    took = []
    for _run in range(RUNS):
        started = time.perf_counter()
        way()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _peak(way: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        way()
        return tracemalloc.get_traced_memory()[1] / MEBIBYTE
    finally:
        tracemalloc.stop()
