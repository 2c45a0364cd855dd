"""Pages of the record: filtered, newest first, each from where the last one ended, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.record.stored.bounded import fetch
from trading.record.stored.counted import ASIDE, COUNTS

PAGE_LIMIT_MS = 5_000
BATCH = 2_000
BATCH_LIMIT_MS = 60_000
ONLY_ASIDE, WITH_ASIDE = "only", "all"


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Empty means any. `version` 0 stands for before the first one; the period is [since, until).

    `outcome` is gain or loss of a position or trade, done or failed of a decision. `aside` is empty for rows that count
    (an `id` names its row in any case), `only` for those set aside, `all` for both.
    """

    id: str = ""
    trader: str = ""
    symbol: str = ""
    side: str = ""
    status: str = ""
    outcome: str = ""
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    aside: str = ""

    @property
    def given(self) -> frozenset[str]:
        """The names of what is asked for."""
        return frozenset(name for name in self.__dataclass_fields__ if getattr(self, name) not in ("", None))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins or ends: the moment as the table's order has it, and the row's id, both as text."""

    at: str
    id: str


@dataclass(frozen=True)
class Table:
    """How a table is browsed: newest first by `at`, then by id. `in_ms`: `at` is milliseconds, else a timestamp.

    `tests` are conditions by the filter's names; where a name has several, by `name=value`.
    """

    name: str
    at: str
    tests: Mapping[str, str]
    in_ms: bool = True

    @property
    def at_cast(self) -> str:
        return "bigint" if self.in_ms else "timestamptz"

    @property
    def id_cast(self) -> str:
        return "text" if self.in_ms else "bigint"

    @property
    def id_rises(self) -> bool:
        """Text ids rise while the moments fall; numbers of rows fall with them."""
        return self.in_ms

    def moment(self, value: datetime) -> Any:
        return round(value.timestamp() * 1000) if self.in_ms else value


@dataclass(frozen=True)
class Page:
    """`rows` newest first. `newer` and `older` are where the pages beside this one begin, None where there is none."""

    rows: list[Any]
    newer: Place | None = None
    older: Place | None = None


def page(
    table: Table,
    columns: str,
    where: RecordFilter,
    *,
    older_than: Place | None = None,
    newer_than: Place | None = None,
    size: int,
) -> Page:
    """Two more columns stand before `columns` in each row: the place. Raises TookTooLong."""
    backwards = newer_than is not None
    start = newer_than or older_than
    sql, parameters = _statement(table, columns, where, start, backwards=backwards, limit=size + 1)
    found = fetch(sql, parameters, limit_ms=PAGE_LIMIT_MS)
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    first, last = map(_place, (rows[0], rows[-1])) if rows else (None, None)
    has_newer, has_older = (more, True) if backwards else (start is not None, more)
    return Page(rows, first if has_newer else None, last if has_older else None)


def batches(table: Table, columns: str, where: RecordFilter) -> Iterator[list[Any]]:
    """All matching rows, newest first: no cursor stays open while a browser reads."""
    start = None
    while True:
        sql, parameters = _statement(table, columns, where, start, backwards=False, limit=BATCH)
        found = fetch(sql, parameters, limit_ms=BATCH_LIMIT_MS)
        if found:
            yield found
        if len(found) < BATCH:
            return
        start = _place(found[-1])


def conditions(table: Table, where: RecordFilter) -> tuple[list[str], dict[str, Any]]:
    """The filter as SQL with its parameters. What the table does not know is left out."""
    given = {name: getattr(where, name) for name in where.given}
    parameters = {name: table.moment(value) if isinstance(value, datetime) else value for name, value in given.items()}
    named = [table.tests.get(f"{name}={parameters[name]}") or table.tests.get(name) for name in sorted(where.given)]
    return [test for test in named if test] + _standing(where), parameters


def _standing(where: RecordFilter) -> list[str]:
    if where.aside == ONLY_ASIDE:
        return [f"r.{ASIDE}"]
    return [] if where.aside or where.id else [f"r.{COUNTS}"]


def _statement(
    table: Table, columns: str, where: RecordFilter, start: Place | None, *, backwards: bool, limit: int
) -> tuple[str, dict[str, Any]]:
    tests, parameters = conditions(table, where)
    if start:
        tests += _beyond(table, backwards=backwards)
        parameters |= {"start_at": start.at, "start_id": start.id}
    falls, rises = ("ASC", "DESC") if backwards else ("DESC", "ASC")
    sql = (
        f"SELECT r.{table.at}, r.id, {columns} FROM {table.name} r"
        f"{' WHERE ' + ' AND '.join(tests) if tests else ''}"
        f" ORDER BY r.{table.at} {falls}, r.id {rises if table.id_rises else falls} LIMIT %(limit)s"
    )
    return sql, parameters | {"limit": limit}


def _beyond(table: Table, *, backwards: bool) -> list[str]:
    """Past the start in the order of the page. The first condition is the one that an index can begin at."""
    at, start = f"r.{table.at}", f"%(start_at)s::{table.at_cast}"
    past = ">" if backwards else "<"
    past_id = past if not table.id_rises else "<" if backwards else ">"
    return [f"{at} {past}= {start}", f"({at} {past} {start} OR r.id {past_id} %(start_id)s::{table.id_cast})"]


def _place(row: Sequence[Any]) -> Place:
    at, row_id, *_columns = row
    return Place(at.isoformat() if isinstance(at, datetime) else str(at), str(row_id))
