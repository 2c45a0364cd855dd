"""What a sync keeps in memory at most, each way in a process of its own.

Run as a module by the benchmarks: `python -m benchmarks.memory ours|obvious rss|objects FILE`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

from benchmarks.report import Table
from benchmarks.servers import empty_tables, environment

WAYS = ("ours", "obvious")
MEBIBYTE = 2**20


def table(path: Path, traders: int) -> Table:
    rows = []
    for way in WAYS:
        found = {what: _measured(way, what, path) for what in ("rss", "objects")}
        rss, objects = found["rss"], found["objects"]
        label = "ours" if way == "ours" else "save() per trader"
        rows.append((label, *(f"{value:.0f}" for value in (*rss, *objects))))
    return Table(
        f"Memory of a first import of {traders:,} traders, in MiB",
        ("Way", "process before", "after reading", "peak", "objects of the file", "peak of objects"),
        rows,
        (
            "The first three columns are the resident size of the process (its highest so far), without tracing; the "
            "last two what Python's own objects hold as tracemalloc sees it, in a run of its own. PostgreSQL is apart.",
        ),
    )


def _measured(way: str, what: str, path: Path) -> list[float]:
    empty_tables()
    variables = environment() | {"DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    variables |= {"BENCH_DATABASE_URL": variables["DATABASE_URL"]}
    command = [sys.executable, "-m", "benchmarks.memory", way, what, str(path)]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    numbers: list[float] = json.loads(done.stdout)
    return numbers


def resident() -> float:
    """The highest resident size so far. On Linux getrusage would count the parent's as well."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE  # macOS counts bytes
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main(way: str, what: str, path: Path) -> list[float]:
    import django

    django.setup()
    from benchmarks.obvious import sync as obvious
    from traders.manager_yaml.reader import read_manager_yaml
    from traders.sync.services import sync

    if what == "objects":
        tracemalloc.start()
    before = resident()
    file = read_manager_yaml(path)
    read = tracemalloc.get_traced_memory()[0] / MEBIBYTE if what == "objects" else resident()
    tracemalloc.reset_peak()
    if way == "ours":
        sync(file=file, actor="bench")
    else:
        obvious.sync(file)
    if what == "objects":
        return [read, tracemalloc.get_traced_memory()[1] / MEBIBYTE]
    return [before, read, resident()]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
