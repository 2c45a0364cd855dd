"""The reads of a page: parts that fail alone, and statements that may take only so long.

Each is a savepoint of its own, with its time limit set and reset. A page with many of them opens `page_reads()`: they
share one transaction then, which is begun again after a fault, and a limit is set only where it changes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DatabaseError, OperationalError, connections, transaction
from psycopg.pq import TransactionStatus

from traders.database import reading, sql

# PostgreSQL evaluates the columns from left to right, so the first one is the limit before.
_LIMIT_AND_BEFORE = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
_LIMIT = "SELECT set_config('statement_timeout', %s, true)"
_QUERY_CANCELED = "57014"

log = logging.getLogger(__name__)


class TookTooLong(Exception):
    """The statement was ended by its time limit."""


@contextmanager
def page_reads() -> Iterator[None]:
    """Write nothing inside: a fault in a later read would lose it."""
    if _shared.get() is not None:
        yield
        return
    reads = _SharedReads()
    token = _shared.set(reads)
    try:
        with reads.connection.execute_wrapper(reads.around_statement), reads:
            yield
    finally:
        _shared.reset(token)


@contextmanager
def apart() -> Iterator[None]:
    """A statement that fails inside ends nothing but what is inside."""
    with _part(None):
        yield


@contextmanager
def time_limit(limit_ms: int) -> Iterator[None]:
    """As `apart`, and each statement inside may take this long. Raises TookTooLong. Evaluate querysets inside."""
    try:
        with _part(limit_ms):
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _QUERY_CANCELED:
            raise TookTooLong from error
        raise


def _part(limit_ms: int | None) -> AbstractContextManager[None]:
    reads = _shared.get()
    if reads is not None and reads.is_innermost:
        return reads.part(limit_ms)
    return _savepoint(limit_ms)


@contextmanager
def _savepoint(limit_ms: int | None) -> Iterator[None]:
    connection = connections[reading.alias()]
    is_outermost = not connection.in_atomic_block
    if is_outermost and limit_ms is None:
        # Each statement is a transaction of its own.
        yield
        return
    with transaction.atomic(using=connection.alias):
        before = None if limit_ms is None else sql.value(_LIMIT_AND_BEFORE, [str(limit_ms)], alias=connection.alias)
        yield
        # The limit lasts until the end of the outermost transaction, which may be the caller's.
        if before is not None and not is_outermost:
            sql.value(_LIMIT, [before], alias=connection.alias)


class _SharedReads:
    """One transaction, inside another one a savepoint. `part` begins it, a fault ends it, the next part begins it
    again."""

    def __init__(self) -> None:
        # For all parts the one that reads go to at the page's beginning.
        self.connection = connections[reading.alias()]
        self._block: transaction.Atomic | None = None
        self._depth = len(self.connection.savepoint_ids)
        self._parts = 0
        self._wanted_ms: int | None = None
        self._set_ms: int | None = None
        self._before = ""

    def __enter__(self) -> None:
        """Begins nothing yet."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            self._end(error)
        except DatabaseError:
            # All parts have what they read, and nothing was written.
            log.warning("The connection was lost after a page was read", exc_info=True)

    @property
    def is_innermost(self) -> bool:
        """False inside a transaction that was opened within a part."""
        return len(self.connection.savepoint_ids) == self._depth

    @contextmanager
    def part(self, limit_ms: int | None) -> Iterator[None]:
        self._begin()
        before, self._parts = self._wanted_ms, self._parts + 1
        self._wanted_ms = before if limit_ms is None else limit_ms
        try:
            yield
        except BaseException as error:
            self._end(error)
            if self._parts > 1:
                self._begin()
            raise
        finally:
            self._wanted_ms, self._parts = before, self._parts - 1
        if self._block is not None and self._is_broken:
            # A statement failed, and the part went on without it.
            transaction.set_rollback(True, using=self.connection.alias)
            self._end(None)
            if self._parts:
                self._begin()

    def around_statement(self, execute: Any, statement: Any, parameters: Any, many: bool, context: Any) -> Any:
        if self._block is not None and self._set_ms != self._wanted_ms and self.is_innermost:
            self._set_limit(self._wanted_ms)
        return execute(statement, parameters, many, context)

    @property
    def _is_broken(self) -> bool:
        raw: Any = self.connection.connection
        return (
            raw is None
            or self.connection.needs_rollback
            or raw.info.transaction_status is not TransactionStatus.INTRANS
        )

    def _begin(self) -> None:
        if self._block is not None:
            return
        block = transaction.atomic(using=self.connection.alias)
        block.__enter__()
        self._block, self._depth, self._set_ms = block, len(self.connection.savepoint_ids), None

    def _end(self, error: BaseException | None) -> None:
        block = self._block
        if block is None:
            return
        if error is None and self._set_ms is not None and not self._is_broken and self.connection.savepoint_ids:
            # It would last until the end of the outer transaction.
            self._set_limit(None)
        self._block = None
        try:
            block.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        finally:
            self._depth = len(self.connection.savepoint_ids)

    def _set_limit(self, limit_ms: int | None) -> None:
        before, self._set_ms = self._set_ms, limit_ms
        if limit_ms is None:
            sql.value(_LIMIT, [self._before], alias=self.connection.alias)
        else:
            found = sql.value(_LIMIT_AND_BEFORE, [str(limit_ms)], alias=self.connection.alias)
            self._before = found if before is None else self._before


_shared: ContextVar[_SharedReads | None] = ContextVar("shared_reads", default=None)
