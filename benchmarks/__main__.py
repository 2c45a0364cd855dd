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

SECTIONS = ("config-sync", "admin-pages", "site-pages", "trade-load", "trade-queries", "import-memory", "live-store")
SECTIONS += ("export", "read-api", "slow-senders", "redaction", "set-aside", "long-equity", "record-pages")
SECTIONS += ("write-pressure", "control-delivery", "waiting", "guards", "manager", "trader-page", "fleet-page")
SECTIONS += ("adopt", "journal-growth", "scale")
SIZES = (100, 1_000, 10_000)
TRADES = 5_000_000
IMPORT_GB = 2.0
ADOPTED = 100_000
EQUITY_POINTS = 1_000_000
SCALE = (10_000, 20_000_000, 20_000_000)


def main() -> None:
    options = _options()
    django.setup()
    from benchmarks import figures, report
    from benchmarks.servers import own_database, own_keys, without_keys

    sections, measured = {}, {}
    with own_database(), own_keys(), tempfile.TemporaryDirectory(prefix="nof0-bench-") as directory:
        machine = report.machine(" ".join(["python -m benchmarks", *sys.argv[1:]]))
        for name in options.sections or SECTIONS:
            before = os.getloadavg()[0]
            with without_keys():
                tables = _run(name, options)(Path(directory), options.sizes, _say)
            measured[name] = figures.of_tables(tables)
            sections[name] = "\n\n".join([f"{machine} {report.load(before)}", *map(str, tables)])
            print(sections[name], end="\n\n", flush=True)
    if options.write:
        report.write(sections)
        figures.write(measured, machine)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar=f"{{{','.join(SECTIONS)}}}", help="default: all")
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/benchmarks.md")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of traders")
    parser.add_argument("--trades", type=int, default=TRADES, help="trades to query")
    parser.add_argument("--equity-points", type=int, default=EQUITY_POINTS, help="points of equity of a trader")
    parser.add_argument("--import-gb", type=float, default=IMPORT_GB, help="size of the file to import")
    parser.add_argument("--adopted", type=int, default=ADOPTED, help="trades of an earlier engine to adopt")
    parser.add_argument(
        "--scale",
        nargs=3,
        type=int,
        default=SCALE,
        metavar=("TRADERS", "TRADES", "DECISIONS"),
        help="size of the record of the section scale",
    )
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    return options


def _run(section: str, options: argparse.Namespace) -> Callable[..., list[Table]]:
    from benchmarks import (
        admin_pages,
        adopt,
        config_sync,
        control_delivery,
        export_cycle,
        fleet_page,
        guards,
        import_memory,
        journal_growth,
        live_store,
        long_equity,
        manager,
        read_api,
        record_pages,
        redaction,
        scale,
        set_aside,
        site_pages,
        slow_senders,
        trade_load,
        trade_queries,
        trader_page,
        waiting,
        write_pressure,
    )

    runs: dict[str, Callable[..., list[Table]]] = {
        "config-sync": config_sync.run,
        "admin-pages": admin_pages.run,
        "site-pages": site_pages.run,
        "trade-load": lambda directory, sizes, say: trade_load.run(say),
        "adopt": lambda directory, sizes, say: adopt.run(options.adopted, say),
        "import-memory": lambda directory, sizes, say: import_memory.run(directory, options.import_gb, say),
        "live-store": live_store.run,
        "export": lambda directory, sizes, say: export_cycle.run(directory, say),
        "redaction": lambda directory, sizes, say: redaction.run(say),
        "read-api": lambda directory, sizes, say: read_api.run(directory, say),
        "control-delivery": lambda directory, sizes, say: control_delivery.run(directory, say),
        "waiting": lambda directory, sizes, say: waiting.run(directory, say),
        "slow-senders": lambda directory, sizes, say: slow_senders.run(directory, say),
        "guards": lambda directory, sizes, say: guards.run(say),
        "fleet-page": lambda directory, sizes, say: fleet_page.run(say),
        "manager": lambda directory, sizes, say: manager.run(directory, say),
        "long-equity": lambda directory, sizes, say: long_equity.run(options.equity_points, say),
        "set-aside": lambda directory, sizes, say: set_aside.run(options.trades, say),
        "record-pages": lambda directory, sizes, say: record_pages.run(options.trades, say),
        "trader-page": lambda directory, sizes, say: trader_page.run(options.equity_points, say),
        "journal-growth": lambda directory, sizes, say: journal_growth.run(say),
        "write-pressure": lambda directory, sizes, say: write_pressure.run(say),
        "scale": lambda directory, sizes, say: scale.run(directory, scale.Size(*options.scale), say),
        "trade-queries": lambda directory, sizes, say: trade_queries.run(options.trades, say),
    }
    return runs[section]


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
