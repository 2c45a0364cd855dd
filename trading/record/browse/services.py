"""The record as files: all that a filter matches, every leaf, digit for digit, made while it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.pages.csv_text import harmless, line
from traders.schema import jsonio
from trading.record.browse import queries as browse
from trading.record.browse.queries import RecordFilter, RecordTable
from trading.record.browse.tables import DECISIONS, POSITIONS, TRADES
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import TradeDetail


@dataclass(frozen=True)
class ExportedColumns:
    """`columns` of the table beside its `detail`, in the order of the file. The first two are its place and its id."""

    table: RecordTable
    detail: type[Part]
    columns: tuple[str, ...]

    def marked(self) -> ExportedColumns:
        """With the entry that set a row aside, empty for one that counts: where the file has both."""
        return replace(self, columns=(*self.columns, "exclusion_id"))

    @property
    def heads(self) -> tuple[str, ...]:
        return (self.table.at, "id", *self.columns)


TRADE = ExportedColumns(TRADES, TradeDetail, ("trader_id", "symbol", "side"))
POSITION = ExportedColumns(POSITIONS, PositionDetail, ("trader_id", "symbol", "side", "status"))
DECISION = ExportedColumns(DECISIONS, DecisionDetail, ("trader_id", "cycle_number", "config_version", "success"))


def csv_lines(kind: ExportedColumns, where: RecordFilter) -> Iterator[str]:
    """A column for each leaf by its path; a list is JSON in one column."""
    paths = _columns(kind.detail)
    yield line((*kind.heads, *paths))
    for rows in browse.batches(kind.table, kind.columns, where):
        yield "".join(line(_cells(row, paths)) for row in rows)


def json_lines(kind: ExportedColumns, where: RecordFilter) -> Iterator[str]:
    """One array, a record a line, with `detail` as it is stored."""
    yield "["
    separator = "\n"
    for rows in browse.batches(kind.table, kind.columns, where):
        yield separator + ",\n".join(_record(kind, row) for row in rows)
        separator = ",\n"
    yield "\n]\n"


def _columns(detail: type[Part]) -> list[str]:
    """Paths of leaves in the order of declaration, each list once."""
    return list(dict.fromkeys(leaf.path.partition("[]")[0] for leaf in leaves_of(detail)))


def _cells(row: Sequence[Any], paths: Sequence[str]) -> Iterator[str]:
    *core, text = row
    yield from (_cell(value) for value in core)
    detail = {"detail": jsonio.loads_stored(text)}
    yield from (_cell(_at(detail, path)) for path in paths)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return jsonio.dumps(value)
    return harmless(value) if isinstance(value, str) else str(value)


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _record(kind: ExportedColumns, row: Sequence[Any]) -> str:
    *core, detail = row
    facts = {
        head: value.isoformat() if isinstance(value, datetime) else value
        for head, value in zip(kind.heads, core, strict=True)
    }
    return f'{jsonio.dumps(facts)[:-1]},"detail":{detail}}}'
