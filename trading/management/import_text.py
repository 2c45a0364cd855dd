"""An import's report as lines for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from trading.imports.report import ImportReport, TableReport

SHOWN = 20


def report_lines(report: ImportReport) -> Iterator[str]:
    if report.dry_run:
        yield "Dry run: nothing was written. It would have been so:"
    yield f"{'table':<24}{'inserted':>12}{'known':>12}{'refused':>12}{'conflicts':>12}"
    for name, table in report.tables.items():
        yield f"{name:<24}{table.inserted:>12,}{table.known:>12,}{table.refused:>12,}{table.conflicts:>12,}"
    if created := report.traders_created:
        more = f" and {len(created) - SHOWN:,} more" if len(created) > SHOWN else ""
        yield f"traders created, not to be started, without capital: {', '.join(created[:SHOWN])}{more}"
    if report.redacted:
        yield secrets_line(report.redacted)
    for name, table in report.tables.items():
        if table.set_aside:
            yield f"note: {table.set_aside:,} of the known {name} were set aside by an operator, and stay so"
        if table.derived:
            yield f"note: {table.derived:,} records of {name} are made of other records of this export: not imported"
    yield from (f"note: {note}" for note in report.notes)
    yield f"{report.accepted:,} rows in {report.seconds:.1f} s ({report.rows_per_second:,} rows/s)"


def secrets_line(count: int) -> str:
    return f"{count:,} secrets were taken out of texts; the log names each place. Change these keys and passwords."


def report_json(report: ImportReport) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        "tables": {name: _table_json(table) for name, table in report.tables.items()},
        "traders_created": report.traders_created,
        "notes": report.notes,
        "seconds": Decimal(f"{report.seconds:.3f}"),
        "rows_per_second": report.rows_per_second,
    }


def _table_json(table: TableReport) -> dict[str, int]:
    return {
        "inserted": table.inserted,
        "known": table.known,
        "refused": table.refused,
        "conflicts": table.conflicts,
        "skipped": table.skipped,
        "set_aside": table.set_aside,
        "redacted": table.redacted,
        "derived": table.derived,
    }
