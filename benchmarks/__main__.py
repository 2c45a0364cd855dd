"""`python -m benchmarks`: measures, prints tables, and with --write puts them into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.report import Table

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"

import django

SECTIONS = ("config-sync", "admin-pages", "desk-pages", "trade-load", "trade-queries", "import-memory", "live-store")
SECTIONS += ("export", "read-api", "slow-senders", "redaction", "set-aside")
SIZES = (100, 1_000, 10_000)
TRADES = 5_000_000
IMPORT_GB = 2.0


def main() -> None:
    options = _options()
    django.setup()
    from benchmarks import report
    from benchmarks.servers import own_database

    sections = {}
    with own_database(), tempfile.TemporaryDirectory(prefix="nof0-bench-") as directory:
        machine = report.machine(" ".join(["python -m benchmarks", *sys.argv[1:]]))
        for name in options.sections or SECTIONS:
            before = os.getloadavg()[0]
            tables = _run(name, options)(Path(directory), options.sizes, _say)
            sections[name] = "\n\n".join([f"{machine} {report.load(before)}", *map(str, tables)])
            print(sections[name], end="\n\n", flush=True)
    if options.write:
        report.write(sections)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar=f"{{{','.join(SECTIONS)}}}", help="default: all")
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/benchmarks.md")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of traders")
    parser.add_argument("--trades", type=int, default=TRADES, help="trades to query")
    parser.add_argument("--import-gb", type=float, default=IMPORT_GB, help="size of the file to import")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    return options


def _run(section: str, options: argparse.Namespace) -> Callable[..., list[Table]]:
    from benchmarks import (
        admin_pages,
        config_sync,
        desk_pages,
        export_cycle,
        import_memory,
        live_store,
        read_api,
        redaction,
        set_aside,
        slow_senders,
        trade_load,
        trade_queries,
    )

    runs: dict[str, Callable[..., list[Table]]] = {
        "config-sync": config_sync.run,
        "admin-pages": admin_pages.run,
        "desk-pages": desk_pages.run,
        "trade-load": lambda directory, sizes, say: trade_load.run(say),
        "import-memory": lambda directory, sizes, say: import_memory.run(directory, options.import_gb, say),
        "live-store": live_store.run,
        "export": lambda directory, sizes, say: export_cycle.run(directory, say),
        "redaction": lambda directory, sizes, say: redaction.run(say),
        "read-api": lambda directory, sizes, say: read_api.run(directory, say),
        "slow-senders": lambda directory, sizes, say: slow_senders.run(directory, say),
        "set-aside": lambda directory, sizes, say: set_aside.run(options.trades, say),
        "trade-queries": lambda directory, sizes, say: trade_queries.run(options.trades, say),
    }
    return runs[section]


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
