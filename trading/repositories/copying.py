"""COPY of many rows, and the transaction that a bulk load is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


class _RolledBack(Exception):
    """Ends a dry run."""


@contextmanager
def bulk_load(*, dry_run: bool = False, name: str) -> Iterator[None]:
    """One transaction: all of it, or nothing. A dry run does everything and takes it back, so what it reports is
    what would happen. Loads of one name wait for each other."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('nof0.bulk'), hashtext(%s))", [name])
            yield
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """In the caller's transaction. Values are texts, numbers, datetimes or None; JSON comes as text."""
    block = "".join(
        ["\t".join([_NULL if v is None else str(v).translate(_ESCAPES) for v in row]) + "\n" for row in rows]
    )
    if not block:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write(block)
