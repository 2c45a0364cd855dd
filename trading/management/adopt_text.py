"""A move and what there is to move in, as lines for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from trading.imports.adopt.inspection import Inspection
from trading.imports.adopt.move import LeftColumn, MoveReport
from trading.imports.adopt.verify import Comparison, Figures, difference_words, total_of
from trading.management.import_text import report_json, report_lines

_TRADERS_SHOWN = 50


def move_lines(report: MoveReport) -> Iterator[str]:
    yield f"database {report.source}, generation {report.generation}"
    yield from report_lines(report)
    if report.closed:
        yield f"positions closed, which were open here and are closed there: {report.closed:,}"
    for table, count in report.repeated.items():
        yield f"note: {count:,} rows of {table} say again what another row says: taken once"
    if report.traders_moved:
        yield f"traders with their versions, stopped: {', '.join(report.traders_moved)}"
    if report.phantoms:
        yield f"note: {report.phantoms:,} versions changed nothing; they keep their numbers, and their reasons say so"
    if report.price_days:
        yield f"prices: {report.price_days:,} days of a symbol written"
    yield from _left_lines(report.left_behind)


def move_json(report: MoveReport) -> dict[str, Any]:
    return report_json(report) | {
        "source": report.source,
        "generation": report.generation,
        "positions_closed": report.closed,
        "repeated": dict(report.repeated),
        "traders_moved": report.traders_moved,
        "phantoms": report.phantoms,
        "price_days": report.price_days,
        "left_behind": [_left_json(column) for column in report.left_behind],
    }


def inspection_lines(found: Inspection) -> Iterator[str]:
    yield f"database {found.database}, PostgreSQL {found.version}: {found.generation}"
    yield f"{'table':<28}{'rows':>12}  {'first':<20}{'last':<20}"
    for table in found.tables:
        yield f"{table.name:<28}{table.rows:>12,}  {_day(table.first):<20}{_day(table.last):<20}".rstrip()
    yield f"traders: {len(found.traders) + len(found.to_map):,}"
    yield from (f"  {name!r}: would be refused; give --map OLD=NEW" for name in found.to_map[:_TRADERS_SHOWN])
    for name, here in list(found.traders.items())[:_TRADERS_SHOWN]:
        said = "will be made, not to be started" if here is None else "is here"
        yield f"  {name}: {said}{f' as {here}' if here not in (None, name) else ''}"
    if (more := len(found.traders) - _TRADERS_SHOWN) > 0:
        yield f"  and {more:,} more"
    if found.unknown_symbols:
        yield f"symbols that are not known: {', '.join(found.unknown_symbols)}"
    yield from _left_lines(found.left_behind)
    yield f"Redis: {found.redis}"
    yield "Next:"
    yield from (f"{number}. {step}" for number, step in enumerate(found.steps, 1))


def inspection_json(found: Inspection) -> dict[str, Any]:
    return {
        "exit_code": 0,
        "database": found.database,
        "server_version": found.version,
        "generation": found.generation,
        "tables": {
            table.name: {"rows": table.rows, "first": _iso(table.first), "last": _iso(table.last)}
            for table in found.tables
        },
        "traders": found.traders,
        "traders_to_map": found.to_map,
        "unknown_symbols": found.unknown_symbols,
        "left_behind": [_left_json(column) for column in found.left_behind],
        "redis": str(found.redis),
        "steps": [str(step) for step in found.steps],
    }


def comparison_lines(found: Comparison) -> Iterator[str]:
    yield f"{'what':<18}{'trader':<28}{'month':<9}{'there':>10}{'here':>10}{'explained':>10}  difference"
    for (kind, trader, month), one in sorted(found.cells.items()):
        explained = sum(figures.rows for figures in one.explained.values())
        line = f"{kind:<18}{trader:<28}{month:<9}{one.there.rows:>10,}{one.here.rows:>10,}{explained:>10,}"
        yield f"{line}  {difference_words(one) or 'none'}"
    for name in ("net", "gross", "commission", "equity"):
        there = total_of((one.there for one in found.cells.values()), name)
        here = total_of((one.here for one in found.cells.values()), name)
        yield f"sum of {name}: there {there:f}, here {here:f}"
    reasons = Counter[str]()
    for one in found.cells.values():
        reasons.update({reason: figures.rows for reason, figures in one.explained.items()})
    yield from (f"{count:,} rows: {reason}" for reason, count in reasons.items())
    yield from _left_lines(found.left_behind)
    yield _verdict(found)


def _verdict(found: Comparison) -> str:
    if not found.cells:
        return "The other database has no records."
    if not found.differing:
        return f"Equal: {len(found.cells):,} comparisons by trader and month, no difference."
    return f"{len(found.differing):,} of {len(found.cells):,} comparisons differ."


def comparison_json(found: Comparison) -> dict[str, Any]:
    return {
        "exit_code": 1 if found.differing else 0,
        "source": found.source,
        "comparisons": [
            {
                "what": kind,
                "trader": trader,
                "month": month,
                "there": _figures_json(one.there),
                "here": _figures_json(one.here),
                "explained": {reason: _figures_json(figures) for reason, figures in one.explained.items()},
                "difference": _figures_json(one.difference) if one.difference else None,
            }
            for (kind, trader, month), one in sorted(found.cells.items())
        ],
        "left_behind": [_left_json(column) for column in found.left_behind],
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    return {"rows": figures.rows, **dict(sorted(figures.amounts.items()))}


def _left_lines(columns: list[LeftColumn]) -> Iterator[str]:
    if columns:
        yield "left behind:"
    yield from (f"  {one.table}.{one.column}: {one.rows:,} rows; {one.reason}" for one in columns)


def _left_json(column: LeftColumn) -> dict[str, Any]:
    return {"table": column.table, "column": column.column, "rows": column.rows, "reason": str(column.reason)}


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
