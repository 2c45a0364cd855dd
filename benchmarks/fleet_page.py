"""The fleet page over a month of equity: a fleet of a hundred, and one of a thousand."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django_redis import get_redis_connection

from benchmarks import trading_rows
from benchmarks.browser import HOW, Page, ask, measured, signed_in
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.models import TraderConfig
from traders.schema.messages import _
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.live import services as live

SIZES = (100, 1_000)
TRADES_EACH, OPEN_EACH, MINUTES_APART, DAYS = 100, 3, 10, 30
RANGES = ("1d", "7d", "30d", "all")
COLD_RUNS = 3
# As engines wrote it, without the triggers that judge each new point: they are measured elsewhere.
_EQUITY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, source)
SELECT c.id, %(now)s - n::bigint * %(apart)s,
       round((10000 + 900 * sin(n / 700.0 + length(c.id)) - n / 20.0)::numeric, 2), 'engine'
  FROM trader_config c, generate_series(0, %(points)s - 1) AS n WHERE c.id = ANY (%(traders)s)
"""
_REPORTS = """
UPDATE trader_runtime_state SET is_running = true, active_config_version = 10, updated_at = now()
"""
BATCH = 50


def run(say: Callable[[str], None]) -> list[Table]:
    rows, cold = [], []
    for traders in SIZES:
        _make(traders, say)
        client = signed_in()
        for name in RANGES:
            page = Page(f"{reverse('admin:index')}?range={name}")
            cold.append((f"{traders:,}", name, *_cold(client, page)))
            found = measured(client, page)
            size = f"{found.kilobytes:.0f}"
            rows.append((f"{traders:,}", name, found.at(0.5), found.at(0.95), str(found.queries), size))
    points = DAYS * 24 * 60 // MINUTES_APART
    what = f"{points:,} points of equity of each trader"
    return [
        Table(f"The fleet page, {what}", ("Traders", "period", "p50 ms", "p95 ms", "queries", "KB"), rows, (HOW,)),
        Table(
            f"The fleet page where no curve is kept, {what}",
            ("Traders", "period", "slowest ms"),
            cold,
            (f"The slowest of {COLD_RUNS} requests, each after the cache was cleared.",),
        ),
    ]


def _make(traders: int, say: Callable[[str], None]) -> None:
    points = DAYS * 24 * 60 // MINUTES_APART
    say(f"{traders:,} traders with {points:,} points of equity each")
    started = time.perf_counter()
    empty_tables()
    trading_rows.make_record(traders=traders, trades=traders * TRADES_EACH, positions=OPEN_EACH)
    ids = list(TraderConfig.objects.order_by("pk").values_list("pk", flat=True))
    values = {"now": int(time.time() * 1000), "apart": MINUTES_APART * 60_000, "points": points}
    for first in range(0, traders, BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(_EQUITY, values | {"traders": ids[first : first + BATCH]})
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS)
        cursor.execute("VACUUM ANALYZE")
        # A record that grew for weeks is on disk already.
        cursor.execute("CHECKPOINT")
    for number in range(6):
        alarms.raise_alarm(AlarmName.MODEL_ERRORS, _("it fails"), subject=f"model {number}", traders=ids[:20])
    # Of a page; the live store is filled by a command, which takes its time.
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        live.rebuild_all()
        cursor.execute("RESET statement_timeout")
    say(f"made in {seconds(time.perf_counter() - started)} s")


def _cold(client: Client, page: Page) -> tuple[str]:
    taken = []
    for _run in range(COLD_RUNS):
        keys = get_redis_connection("default")
        for key in keys.scan_iter(cache.make_key("overview:*")):
            keys.delete(key)
        taken.append(ask(client, page)[0] * 1000)
    return (f"{max(taken):.0f}",)
