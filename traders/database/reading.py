"""Which database a read goes to: the primary, or inside `from_replica` its replica.

Writes, and everything inside a transaction, go to the primary. Models follow by the router (`nof0site.replica.router`),
statements by `sql`, the shared reads of a page by `apart`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import DEFAULT_DB_ALIAS, connections

from traders.database import writes

REPLICA = "replica"
"""The alias in DATABASES, which has it where DATABASE_REPLICA_URL is set."""

# Whether something had been written when it began; None: the primary is read.
_reading: ContextVar[bool | None] = ContextVar("reading_from_replica", default=None)


@contextmanager
def from_replica() -> Iterator[None]:
    """Reads inside go to the replica."""
    token = _reading.set(writes.may_be_written())
    try:
        yield
    finally:
        _reading.reset(token)


def alias() -> str:
    """Where a read goes now. What was written inside is read where it was written, and a lock is held there."""
    was_written = _reading.get()
    if was_written is None or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return DEFAULT_DB_ALIAS
    return DEFAULT_DB_ALIAS if writes.may_be_written() and not was_written else REPLICA
