"""COPY of many rows, and the transaction that a bulk load is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from traders.database import writes
from traders.database.sql import execute


class _RolledBack(Exception):
    """Ends a dry run."""


@contextmanager
def bulk_load(*, dry_run: bool = False, name: str) -> Iterator[None]:
    """One transaction: all of it, or nothing. A dry run does everything and rolls it back, so what it reports is
    what would happen. Loads of one name wait for each other."""
    try:
        with transaction.atomic():
            execute("SELECT pg_advisory_xact_lock(hashtext('nof0.bulk'), hashtext(%s))", [name])
            # Held together with other loads, never while rows are set aside (`exclusions.locked`).
            execute("SELECT pg_advisory_xact_lock_shared(hashtext('nof0.set_aside'))")
            yield
            if dry_run:
                # Else what is checked at the commit alone, such as shares of the capital, would pass here.
                execute("SET CONSTRAINTS ALL IMMEDIATE")
                raise _RolledBack
    except _RolledBack:
        pass


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """In the caller's transaction. Values are texts, numbers, datetimes or None; JSON comes as text.

    Rows are sent as they are made: the server stores the first ones while the next ones are written here.
    """
    left = iter(rows)
    if (first := next(left, None)) is None:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in itertools.chain([first], left):
            copy.write_row(row)
    writes.executed(is_committed=not connection.in_atomic_block)


def utc(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)
