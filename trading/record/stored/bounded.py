"""Reads that may take only so long: a page must answer, however large the record is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import OperationalError, connection, transaction


class TookTooLong(Exception):
    """The statement was ended by its time limit."""


def fetch(sql: str, parameters: Mapping[str, Any], *, limit_ms: int) -> list[Any]:
    """The rows of one statement. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            before = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit_ms)])
            cursor.execute(sql, parameters)
            found = list(cursor.fetchall())
            # Inside a transaction of the caller's the limit would outlive this one.
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
            return found
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":
            raise TookTooLong from error
        raise
