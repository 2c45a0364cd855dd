"""Runs one SQL statement on the site's database and reads its rows by column name.

Reads and writes that the ORM can express use the ORM. The statements themselves stay in `queries` and `writer` files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection
from psycopg.rows import class_row, namedtuple_row, scalar_row
from psycopg.sql import Composable

Record = TypeVar("Record")
Statement = str | Composable
Parameters = Sequence[Any] | Mapping[str, Any] | None
"""Without parameters (None) a `%` in the statement is a plain character."""


def rows(statement: Statement, parameters: Parameters = None) -> list[Any]:
    """All rows as named tuples: `row.trader_id`. Use AS to name an expression. Raises
    DataError if two columns have one name."""
    return _fetch(namedtuple_row, statement, parameters)


def rows_as(kind: type[Record], statement: Statement, parameters: Parameters = None) -> list[Record]:
    """All rows as `kind(column=value, ...)`. Raises TypeError if a column is not a parameter of `kind`."""
    return _fetch(class_row(kind), statement, parameters)


def values(statement: Statement, parameters: Parameters = None) -> list[Any]:
    """The first column of all rows."""
    return _fetch(scalar_row, statement, parameters)


def value(statement: Statement, parameters: Parameters = None) -> Any:
    """The first column of the only row. Raises ValueError if the statement gives no row, or several."""
    (found,) = values(statement, parameters)
    return found


def execute(statement: Statement, parameters: Parameters = None) -> int:
    """Runs a statement and returns how many rows it wrote or found."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _fetch(row_factory: Any, statement: Statement, parameters: Parameters) -> list[Any]:
    with connection.cursor() as cursor:
        # Django has no setting for the row factory of a single cursor; psycopg's own cursor is inside its wrapper.
        inner: Any = cursor.cursor
        inner.row_factory = row_factory
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
