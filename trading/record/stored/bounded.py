"""Reads that may take only so long: a page must answer, however large the record is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import OperationalError, transaction

from traders.database import sql


class TookTooLong(Exception):
    """The statement was ended by its time limit."""


_LIMIT = "SELECT set_config('statement_timeout', %s, true)"


def fetch(statement: str, parameters: Mapping[str, Any], *, limit_ms: int) -> list[Any]:
    """The rows of one statement as named tuples. Raises TookTooLong."""
    try:
        with transaction.atomic():
            before = sql.value("SHOW statement_timeout")
            sql.value(_LIMIT, [str(limit_ms)])
            found = sql.rows(statement, parameters)
            # The limit lasts until the end of the outermost transaction, which may be the caller's.
            sql.value(_LIMIT, [before])
            return found
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":
            raise TookTooLong from error
        raise
