"""Reads that may take only so long: a page must answer, however large the record is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction

from traders.database import sql

# PostgreSQL evaluates the columns from left to right, so the first one is the limit before.
_LIMIT_AND_BEFORE = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
_LIMIT = "SELECT set_config('statement_timeout', %s, true)"
_QUERY_CANCELED = "57014"


class TookTooLong(Exception):
    """The statement was ended by its time limit."""


@contextmanager
def time_limit(limit_ms: int) -> Iterator[None]:
    """Each statement inside may take this long. Raises TookTooLong. Evaluate querysets inside."""
    try:
        with transaction.atomic():
            before = sql.value(_LIMIT_AND_BEFORE, [str(limit_ms)])
            yield
            # The limit lasts until the end of the outermost transaction, which may be the caller's.
            sql.value(_LIMIT, [before])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _QUERY_CANCELED:
            raise TookTooLong from error
        raise


def fetch(statement: str, parameters: Mapping[str, Any], *, limit_ms: int) -> list[Any]:
    """The rows of one statement as named tuples. Raises TookTooLong."""
    with time_limit(limit_ms):
        return sql.rows(statement, parameters)
