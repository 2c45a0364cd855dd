"""Runs one SQL statement on the site's database and reads its rows by column name.

What only reads goes to the replica where `reading` says so, all else to the primary. Reads and writes that the ORM can
express use the ORM. The statements themselves stay in `queries` and `writer` files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import class_row, namedtuple_row, scalar_row
from psycopg.sql import Composable

from traders.database import reading, writes

Record = TypeVar("Record")
Statement = str | Composable
Parameters = Sequence[Any] | Mapping[str, Any] | None
"""Without parameters (None) a `%` in the statement is a plain character."""


def rows(statement: Statement, parameters: Parameters = None, *, alias: str | None = None) -> list[Any]:
    """All rows as named tuples: `row.trader_id`. Use AS to name an expression. `alias` names one of DATABASES, whatever
    `reading` says. Raises DataError if two columns have one name."""
    return _fetch(namedtuple_row, statement, parameters, alias)


def rows_as(kind: type[Record], statement: Statement, parameters: Parameters = None) -> list[Record]:
    """All rows as `kind(column=value, ...)`. Raises TypeError if a column is not a parameter of `kind`."""
    return _fetch(class_row(kind), statement, parameters)


def values(statement: Statement, parameters: Parameters = None, *, alias: str | None = None) -> list[Any]:
    """The first column of all rows."""
    return _fetch(scalar_row, statement, parameters, alias)


def value(statement: Statement, parameters: Parameters = None, *, alias: str | None = None) -> Any:
    """The first column of the only row. Raises ValueError if the statement gives no row, or several."""
    (found,) = values(statement, parameters, alias=alias)
    return found


def execute(statement: Statement, parameters: Parameters = None, *, alias: str = DEFAULT_DB_ALIAS) -> int:
    """Runs a statement and returns how many rows it wrote or found."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _alias_for(statement: Statement) -> str:
    alias = reading.alias()
    if alias == DEFAULT_DB_ALIAS:
        return alias
    text = statement if isinstance(statement, str) else statement.as_string()
    return DEFAULT_DB_ALIAS if writes.changes_data(text) else alias


def _fetch(row_factory: Any, statement: Statement, parameters: Parameters, alias: str | None = None) -> list[Any]:
    with connections[alias or _alias_for(statement)].cursor() as cursor:
        # Django has no setting for the row factory of a single cursor; psycopg's own cursor is inside its wrapper.
        inner: Any = cursor.cursor
        inner.row_factory = row_factory
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
