"""A large fleet on one machine: what its rows take, what its hot queries, pages, sync and export cost. docs/scale.md
computes other sizes with these figures."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.urls import reverse

from benchmarks import trading_rows
from benchmarks.browser import HOW, Page, measured, signed_in
from benchmarks.fleet import write_fleet
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.manager_yaml.reader import read_manager_yaml
from traders.models import TraderConfig
from traders.sync.services import sync
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

Result = TypeVar("Result")

RUNS = 20
EQUITY_HOURS = 24
# Two messages of a decision, of the size that engines send and with text that hardly compresses.
_MESSAGES = """
INSERT INTO conversation_messages (trader_id, decision_id, conversation, sequence, role, content, sent_at)
SELECT trader_id, id, cycle_number::text, place, (ARRAY['user', 'assistant'])[place], CASE place
           WHEN 1 THEN detail #>> '{prompt,user_text}' ELSE detail #>> '{answer,reasoning}' END, decided_at
  FROM decision_journal, generate_series(1, 2) AS place
"""
_EQUITY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, realized_pnl_usd, unrealized_pnl_usd)
SELECT id, %s + n * 180000, 10000 + n * 7919 %% 300, n, 1 FROM trader_config, generate_series(1, %s) AS n
"""
_SIZE = """
SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid)), (SELECT count(*) FROM {table})
  FROM (SELECT '{table}'::regclass AS relid UNION SELECT relid FROM pg_partition_tree('{table}')) AS parts
"""
TABLES = {
    "trade": "trades",
    "position": "positions",
    "decision": "decision_journal",
    "message": "conversation_messages",
    "equity point": "equity_snapshots",
    "version": "trader_config_versions",
}
_HOT = {
    "open positions of a trader": "SELECT * FROM positions WHERE trader_id = %(trader)s AND status = 'open'",
    "last 100 trades of a trader": (
        "SELECT * FROM trades WHERE trader_id = %(trader)s ORDER BY close_ts_ms DESC, id DESC LIMIT 100"
    ),
    "last 100 trades of the fleet": "SELECT * FROM trades ORDER BY close_ts_ms DESC, id DESC LIMIT 100",
    "P&L of a trader's versions": "SELECT * FROM version_results WHERE trader_id = %(trader)s",
    "last 50 decisions of a trader": (
        "SELECT * FROM decision_journal WHERE trader_id = %(trader)s ORDER BY decided_at DESC LIMIT 50"
    ),
    "newest equity of a trader": (
        "SELECT * FROM equity_snapshots WHERE trader_id = %(trader)s ORDER BY ts_ms DESC LIMIT 1"
    ),
}


@dataclass(frozen=True, slots=True)
class Size:
    traders: int
    trades: int
    decisions: int

    def __str__(self) -> str:
        return f"{self.traders:,} traders, {self.trades:,} trades, {self.decisions:,} decisions"


def run(directory: Path, size: Size, say: Callable[[str], None]) -> list[Table]:
    imported = _sync(directory, size, say)
    _make(size, say)
    say("sizes, queries, pages, export")
    trader = TraderConfig.objects.order_by("pk")[size.traders // 2].pk
    return [imported, _bytes(size), _hot(size, trader), _pages(size, trader), _export(directory, size)]


def _sync(directory: Path, size: Size, say: Callable[[str], None]) -> Table:
    empty_tables()
    say(f"sync of {size.traders:,} traders")
    path = write_fleet(directory / "fleet", traders=size.traders)
    settings.MANAGER_YAML = path
    reading, file = _timed(lambda: read_manager_yaml(path))
    first, _ = _timed(lambda: sync(file=file, actor="cli:benchmark"))
    again, _ = _timed(lambda: sync(file=file, actor="cli:benchmark"))
    return Table(
        f"Sync of {size.traders:,} traders, s",
        ("What", "s"),
        [("the file read and checked", seconds(reading)), ("first sync", seconds(first)), ("again", seconds(again))],
        figures={"traders": size.traders, "sync_read_s": reading, "sync_first_s": first, "sync_again_s": again},
    )


def _make(size: Size, say: Callable[[str], None]) -> None:
    empty_tables()
    started = time.perf_counter()
    say(f"making {size}")
    trading_rows.make_record(traders=size.traders, trades=size.trades, positions=10)
    trading_rows.make_decisions(size.decisions)
    _execute(_MESSAGES)
    _execute(_EQUITY, trading_rows.FIRST_MS, EQUITY_HOURS * 20)
    _execute("ANALYZE conversation_messages, equity_snapshots")
    trading_rows.vacuum()
    say(f"made in {seconds(time.perf_counter() - started)} s")


def _bytes(size: Size) -> Table:
    rows, figures = [], {}
    for name, table in TABLES.items():
        heap, indexes, count = _execute(_SIZE.format(table=table))
        each = (float(heap) / count, float(indexes) / count)
        rows.append((name, f"{count:,}", *(f"{part:,.0f}" for part in (*each, sum(each)))))
        figures[f"{name.replace(' ', '_')}_bytes"] = round(sum(each), 1)
    return Table(
        f"Bytes on disk, {size}",
        ("A row", "rows", "table", "indexes", "together"),
        rows,
        ("Texts of prompts and answers are random, so they hardly compress: real ones take less.",),
        figures,
    )


def _hot(size: Size, trader: str) -> Table:
    rows = []
    for name, statement in _HOT.items():
        found = sorted(_timed(lambda s=statement: _execute(s, trader=trader))[0] * 1000 for _ in range(RUNS))  # type: ignore[misc]
        rows.append((name, f"{statistics.median(found):.2f}", f"{found[-1]:.2f}"))
    return Table(f"Hot queries, {size}, ms", ("Query", "median", "slowest"), rows, (f"{RUNS} runs each, warm.",))


def _pages(size: Size, trader: str) -> Table:
    client = signed_in()
    pages = {
        "overview": reverse("admin:index"),
        "traders": reverse("admin:traders_traderconfig_changelist"),
        "a trader": reverse("admin:traders_traderconfig_overview", args=[trader]),
        "its history": reverse("admin:traders_traderconfig_history", args=[trader]),
        "trades": reverse("admin:trading_trade_changelist"),
        "decisions": reverse("admin:trading_decisionjournal_changelist"),
        "positions": reverse("admin:trading_position_changelist"),
    }
    rows, figures = [], {}
    for name, url in pages.items():
        found = measured(client, Page(url))
        rows.append((name, found.at(0.5), found.at(0.95), str(found.queries)))
        figures[f"page_{name.replace(' ', '_')}_p95_ms"] = float(found.at(0.95))
    return Table(f"Pages, {size}, ms", ("Page", "p50", "p95", "queries"), rows, (HOW,), figures)


def _export(directory: Path, size: Size) -> Table:
    exporter = Exporter(Options(directory / "export"))
    before = _cpu_seconds()
    first, _ = _timed(lambda: exporter.cycle(analytics_seconds=0.0))
    spent = _cpu_seconds() - before
    idle = statistics.median(_timed(lambda: exporter.cycle(analytics_seconds=0.0))[0] for _ in range(3))
    return Table(
        f"Export, {size}, s",
        ("Cycle", "s"),
        [("first of a process", seconds(first)), ("nothing new", seconds(idle))],
        (f"The first took {spent:.2f} s of Python's processor time.",),
        {"export_first_s": first, "export_idle_s": idle, "export_cpu_s": spent},
    )


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def _execute(statement: str, *parameters: object, **named: object) -> Sequence[float]:
    """The first row, if there is one. No time limit: rows are made by the million."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement, named or parameters or None)
        found = cursor.fetchall() if cursor.description else []
    return found[0] if found else ()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
