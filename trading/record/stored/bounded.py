"""One statement that may take only so long: a page must answer, however large the record is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traders.database import sql
from traders.database.apart import time_limit


def fetch(statement: str, parameters: Mapping[str, Any], *, limit_ms: int) -> list[Any]:
    """The rows as named tuples. Raises TookTooLong."""
    with time_limit(limit_ms):
        return sql.rows(statement, parameters)
