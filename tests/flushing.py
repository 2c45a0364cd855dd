"""The end of a test that commits: every table is emptied, and holds again what the migrations put there.

Django's own way runs the handlers of post_migrate after each such test, which look for every permission and every role.
"""

from __future__ import annotations

import psycopg
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

MOST_ATTEMPTS = 5
_COPIES = "made_by_migrations"
_tables: list[str] = []
"""All but Django's list of applied migrations. Some have no model, so that Django's own flush passes them by."""
_filled: list[str] = []


def keep_what_migrations_made() -> None:
    """Copy the tables that hold rows before the first test."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {_COPIES}")
        _tables[:] = [table for table in connection.introspection.table_names(cursor) if table != "django_migrations"]
        for table in _tables:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')
            if cursor.fetchone()[0]:
                cursor.execute(f'CREATE TABLE {_COPIES}."{table}" AS TABLE "{table}"')
                _filled.append(table)
    TransactionTestCase._fixture_teardown = empty_and_fill  # type: ignore[attr-defined]


def empty_and_fill(case: TransactionTestCase | None = None) -> None:
    for _attempt in range(MOST_ATTEMPTS - 1):
        try:
            _empty_and_fill()
        except OperationalError as error:
            # A page that a closed browser asked for may still be made, and take its locks in another order.
            if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
                raise
        else:
            return
    _empty_and_fill()


def _empty_and_fill() -> None:
    # In one transaction, at whose end PostgreSQL looks whether each reference finds its row.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in _tables))
        for table in _filled:
            cursor.execute(f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE TABLE {_COPIES}."{table}"')
