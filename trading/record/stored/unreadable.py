"""Unreadable rows: readers leave them out and note each one here.

Readers call `note`. The exporter, a page or a command collects with `collected` the rows that were noted while it read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from django.db import Error

from trading.schema.tolerant import UnreadableLeaf
from trading.schema.unreadable import Unreadable, cannot_be_used

Row = TypeVar("Row")
Read = TypeVar("Read")

log = logging.getLogger(__name__)
_found: ContextVar[dict[tuple[str, str], Unreadable] | None] = ContextVar("unreadable_rows", default=None)
# Each row is logged once a process, and at most this many: the exporter reads the same rows every minute.
MOST_LOGGED = 1_000
_logged: set[tuple[str, str]] = set()


@contextmanager
def collected() -> Iterator[dict[tuple[str, str], Unreadable]]:
    """The rows noted inside the block, by (table, id). An outer block gets them too."""
    outer = _found.get()
    found: dict[tuple[str, str], Unreadable] = {}
    token = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(token)
        if outer is not None:
            outer.update(found)


def note(row: Unreadable) -> None:
    key = row.table, row.id
    if (found := _found.get()) is not None:
        found[key] = row
    if key not in _logged and len(_logged) < MOST_LOGGED:
        _logged.add(key)
        log.warning("A row cannot be read and was left out: %s", row)


def readable(table: str, read: Callable[[Row], Read], rows: Iterable[Row], key: Callable[[Row], Any]) -> Iterator[Read]:
    """The result of `read` for each row. An unreadable row is noted and left out.

    `read` may raise any error. Only database errors are raised again.
    """
    for row in rows:
        found = attempt(table, str(key(row)), partial(read, row))
        if found is not None:
            yield found


def attempt(table: str, row_id: str, make: Callable[[], Read]) -> Read | None:
    """The result of `make`. If it raises, the row is noted and the result is None."""
    try:
        return make()
    except Error:
        raise
    except UnreadableLeaf as refused:
        note(Unreadable(table, row_id, refused.path, refused.reason))
    except Exception as error:
        # The values are as declared, and a result of them fails all the same, such as a quotient.
        log.debug("%s %s", table, row_id, exc_info=True)
        note(Unreadable(table, row_id, "", cannot_be_used(error)))
    return None
