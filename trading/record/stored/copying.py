"""COPY of many rows, and the transaction that a bulk load is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from traders.database import writes
from traders.database.sql import execute

_NULL = r"\N"
_ESCAPES = (("\\", r"\\"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t"))
_BLOCK_ROWS = 100


class _RolledBack(Exception):
    """Ends a dry run."""


@contextmanager
def bulk_load(*, dry_run: bool = False, name: str) -> Iterator[None]:
    """One transaction: all of it, or nothing. A dry run does everything and takes it back, so what it reports is
    what would happen. Loads of one name wait for each other."""
    try:
        with transaction.atomic():
            execute("SELECT pg_advisory_xact_lock(hashtext('nof0.bulk'), hashtext(%s))", [name])
            # Held together with other loads, never while rows are set aside (`exclusions.locked`).
            execute("SELECT pg_advisory_xact_lock_shared(hashtext('nof0.set_aside'))")
            yield
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """In the caller's transaction. Values are texts, numbers, datetimes or None; JSON comes as text.

    Rows are sent as they are made: the server stores the last block while the next one is written here.
    """
    blocks = blocks_of(rows)
    if (first := next(blocks, None)) is None:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for block in itertools.chain([first], blocks):
            copy.write(block)
    writes.executed(is_committed=not connection.in_atomic_block)


def blocks_of(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Rows in COPY's text format, some at a time."""
    left = iter(rows)
    while block := "".join(["\t".join(map(_field, row)) + "\n" for row in itertools.islice(left, _BLOCK_ROWS)]):
        yield block


def _field(value: Any) -> str:
    if value is None:
        return _NULL
    text = value if type(value) is str else str(value)
    for character, escaped in _ESCAPES:
        if character in text:
            text = text.replace(character, escaped)
    return text
