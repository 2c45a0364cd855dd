"""Rows that cannot be read are left out of what is being made, and named here: nothing is left out silently.

Readers call `note`. The exporter, a page or a command collects with `collected` what was noted while it read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from django.db import Error

from trading.schema.tolerant import NotReadable
from trading.schema.unreadable import Unreadable, cut

Row = TypeVar("Row")
Read = TypeVar("Read")

log = logging.getLogger(__name__)
_found: ContextVar[dict[tuple[str, str], Unreadable] | None] = ContextVar("unreadable_rows", default=None)
# Each is logged once a process, and this many at most: the same rows are read again at every cycle.
MOST_LOGGED = 1_000
_logged: set[tuple[str, str]] = set()


@contextmanager
def collected() -> Iterator[dict[tuple[str, str], Unreadable]]:
    """What is noted inside, by (table, id). An outer collection gets it as well."""
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
    """What `read` makes of each row; a row of which it makes nothing is noted and left out.

    `read` may raise whatever a spoilt value leads to; errors of the database itself go on.
    """
    for row in rows:
        found = attempt(table, str(key(row)), partial(read, row))
        if found is not None:
            yield found


def attempt(table: str, row_id: str, make: Callable[[], Read]) -> Read | None:
    """What `make` makes of one row; None, and the row noted, where it raises."""
    try:
        return make()
    except Error:
        raise
    except NotReadable as refused:
        note(Unreadable(table, row_id, refused.path, refused.reason))
    except Exception as error:
        # The values are as declared, and still something that is made of them fails, such as a quotient of them.
        log.debug("%s %s", table, row_id, exc_info=True)
        note(Unreadable(table, row_id, "", cut(f"cannot be worked with: {type(error).__name__}: {error}")))
    return None
