"""What an export costs over a long record: the first cycle of a process, one where every trader did something, an idle
one."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from django.db import connection

from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from benchmarks.trading_rows import FIRST_MS, make_record, vacuum
from trading.export.cycle import Exporter
from trading.export.directory.manifest import Manifest
from trading.export.parts.options import Options
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.live.redis.reads import now_us
from trading.schema.live_store.values import Price

TRADERS, TRADES = 100, 1_000_000
HOURS, DECISIONS, PROMPT_CHARACTERS = 240, 50, 6_000
ROUNDS = 3
SYMBOLS = ("BTC", "ETH", "SOL", "BNB", "DOGE", "XRP")
LAST_MS = FIRST_MS + HOURS * 3_600_000

_EQUITY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, realized_pnl_usd, unrealized_pnl_usd)
SELECT id, %s + h * 3600000, 10000 + h * 7919 %% 3000, h, 1 FROM trader_config, generate_series(0, %s) AS h
"""
_DECISIONS = """
INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)
SELECT c.id, 1, (SELECT coalesce(max(cycle_number), 0) FROM decision_journal j WHERE j.trader_id = c.id) + n,
       now() + n * interval '1 s', true, jsonb_build_object(
    'prompt', jsonb_build_object('user_text', repeat(md5(c.id || n), %s / 32)),
    'answer', jsonb_build_object('text', repeat(md5(n || c.id), 20), 'reasoning', repeat(md5(c.id), 20)),
    'decisions', jsonb_build_array(jsonb_build_object('symbol', 'BTC', 'action', 'hold', 'confidence', 70)))
  FROM trader_config c, generate_series(1, %s) AS n
"""
_TRADE_EACH = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)
SELECT trader_id || '|new|' || close_ts_ms, trader_id, symbol, side, close_ts_ms + 60000, detail
       || jsonb_build_object('time', jsonb_build_object('open_ts_ms', close_ts_ms, 'close_ts_ms', close_ts_ms + 60000,
                                                        'duration_seconds', 60))
  FROM (SELECT DISTINCT ON (trader_id) t.* FROM trader_config c CROSS JOIN LATERAL (
            SELECT * FROM trades WHERE trader_id = c.id ORDER BY close_ts_ms DESC LIMIT 1) t) last
"""


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    empty_tables()
    say(f"making {TRADES:,} trades of {TRADERS} traders")
    make_record(traders=TRADERS, trades=TRADES)
    _execute(_EQUITY, LAST_MS - HOURS * 3_600_000, HOURS)
    _execute(_DECISIONS, PROMPT_CHARACTERS, DECISIONS)
    vacuum()
    exporter = Exporter(Options(directory / "export"))
    first, started = _cycle(exporter), time.perf_counter()
    say("computing analytics of all traders")
    exporter.parts.analytics.compute(None)
    analytics = time.perf_counter() - started
    exporter.cycle()
    full, idle = [], []
    for number in range(ROUNDS):
        say(f"cycle {number + 1} of {ROUNDS}")
        _everybody_acts(number)
        full.append(_cycle(exporter)[0])
        exporter.parts.analytics.compute(None)
        exporter.cycle()
        idle.append(_cycle(exporter)[0])
    manifest = _cycle(exporter)[1]
    return [_table(first[0], full, idle, manifest, analytics)]


def _cycle(exporter: Exporter) -> tuple[float, Manifest]:
    started = time.perf_counter()
    manifest = exporter.cycle(analytics_seconds=0.0)
    return time.perf_counter() - started, manifest


def _everybody_acts(number: int) -> None:
    """Every trader closes a trade, decides, and has a new equity; every price moves."""
    _execute(_TRADE_EACH)
    _execute(_EQUITY, LAST_MS + (number + 1) * 60_000, 0)
    _execute(_DECISIONS, PROMPT_CHARACTERS, 1)
    store.write(PRICE, {symbol: Price(now_us(), Decimal(40_000 + number)) for symbol in SYMBOLS})


def _table(first: float, full: list[float], idle: list[float], manifest: Manifest, analytics: float) -> Table:
    rows = [
        ["first of a process", seconds(first), "", "0.5"],
        ["full: every trader acted, every price moved", seconds(statistics.median(full)), seconds(max(full)), "0.5"],
        ["idle: nothing new", seconds(statistics.median(idle)), seconds(max(idle)), "0.05"],
    ]
    size, packed = (sum(getattr(entry, name) for entry in manifest.files) / 1e6 for name in ("size", "gzip_size"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Table(
        f"Export of {TRADERS} traders and {TRADES:,} trades, s",
        ["cycle", "median", "longest", "wanted"],
        rows,
        [
            f"{ROUNDS} rounds. {HOURS} hours of equity and {DECISIONS} decisions a trader. {len(manifest.files)} "
            f"documents of {size:.1f} MB, {packed:.1f} MB compressed. At most {memory:.0f} MB of memory, Django and "
            "this benchmark included.",
            f"Analytics of such long records are computed between cycles: {analytics / TRADERS:.2f} s a trader with "
            f"{TRADES // TRADERS:,} trades.",
        ],
    )


def _execute(sql: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
