"""The whole command as an operator types it, the start of its process included."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.meter import metered
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables, environment
from traders.sync.drift import unchanged

CHECKOUT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def command_table(path: Path, traders: int) -> Table:
    empty_tables()
    first = _command_seconds(path)
    recognised = sorted(_command_seconds(path) for _ in range(ROUNDS))[ROUNDS // 2]
    in_process, database = _recognised_in_process(path)
    path.touch()
    nothing = sorted(_process_seconds("--version") for _ in range(ROUNDS))[ROUNDS // 2]
    path.write_bytes(path.read_bytes() + b"# another byte\n")
    rewritten = _command_seconds(path)
    return Table(
        f"`sync_traders` with {traders:,} traders",
        ("Run", "seconds"),
        [
            ("first import, whole process", seconds(first)),
            ("file rewritten, nothing changed in it, whole process", seconds(rewritten)),
            ("same file again, recognised by its digest: whole process", seconds(recognised)),
            ("... of it, start of Python and Django (`manage.py --version`)", seconds(nothing)),
            ("... the recognition itself, inside a running process", seconds(in_process)),
            ("... of that, in the database", seconds(database)),
        ],
        (f"Medians of {ROUNDS} runs; the first import and the rewritten file once.",),
    )


def _recognised_in_process(path: Path) -> tuple[float, float]:
    costs = []
    for _ in range(ROUNDS):
        with metered() as cost:
            report = unchanged(path)
        if report is None:
            raise AssertionError("the file was not recognised")
        costs.append((cost.seconds, cost.database_seconds))
    return sorted(costs)[ROUNDS // 2]


def _command_seconds(path: Path) -> float:
    return _process_seconds("sync_traders", str(path))


def _process_seconds(*arguments: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=CHECKOUT, env=environment(), check=True, capture_output=True)
    return time.perf_counter() - started
