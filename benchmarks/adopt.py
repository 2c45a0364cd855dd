"""`manage.py adopt` of a database of the former engine, as the process that an operator starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from benchmarks.legacy_source import legacy_source
from benchmarks.report import Table
from benchmarks.servers import empty_tables, environment

CHECKOUT = Path(__file__).resolve().parent.parent
# A small one too, for what a process costs before its first row.
SMALL_SHARE = 100
# Ten days of a minute's ticks.
TICKS = 172_800
_HISTORY = "SELECT pg_total_relation_size('price_history'), sum(cardinality(moments_ms)), count(*) FROM price_history"


@dataclass(frozen=True)
class ProcessCost:
    """Seconds of the clock and of the processor (the process alone, PostgreSQL apart), and its largest size in MiB."""

    seconds: float
    cpu: float
    peak_mib: float


def run(trades: int, say: Callable[[str], None]) -> list[Table]:
    rows = []
    for count in (trades // SMALL_SHARE, trades):
        say(f"adopt of {count:,} trades")
        empty_tables()
        with legacy_source(count, 0) as dsn:
            for title, options in (("adopt", ()), ("adopt again, nothing new", ()), ("adopt --verify", ("--verify",))):
                cost = _adopted(dsn, options)
                rows.append((f"{title}: {count:,}", f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{cost.peak_mib:.0f}"))
    return [
        Table(
            "`manage.py adopt` of the former engine's trades",
            ("Run: trades", "seconds", "CPU s", "peak MiB"),
            rows,
            ("The whole process. `CPU s`: its own user and system time, which other work lengthens less.",),
        ),
        _price_history(say),
    ]


def _price_history(say: Callable[[str], None]) -> Table:
    say(f"adopt of {TICKS:,} ticks")
    empty_tables()
    with legacy_source(0, TICKS) as dsn:
        cost = _adopted(dsn, ())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL price_history")
        cursor.execute(_HISTORY)
        size, ticks, days = cursor.fetchone()
    return Table(
        "Prices that `adopt` keeps",
        ("Ticks", "rows of `price_history`", "bytes a tick", "seconds", "CPU s", "peak MiB"),
        [
            (
                f"{ticks:,}",
                f"{days:,}",
                f"{size / ticks:.1f}",
                f"{cost.seconds:.1f}",
                f"{cost.cpu:.1f}",
                f"{cost.peak_mib:.0f}",
            )
        ],
        ("One price a minute for each of twelve pairs of provider and symbol, table and indexes after VACUUM FULL.",),
    )


def _adopted(dsn: str, options: Sequence[str]) -> ProcessCost:
    """Raises AssertionError where the command refuses anything."""
    began = time.perf_counter()
    # The DSN has no password of use to others, and /proc would show it as the variable too.
    command = [sys.executable, "manage.py", "adopt", "--from", dsn, "--rejects", os.devnull, *options]
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise AssertionError(f"adopt ended with {process.returncode}: {said}")
    return ProcessCost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
