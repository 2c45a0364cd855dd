"""Whether this thread's request has written something, for the answer to one that failed.

The database engine of the site (`nof0site.postgresql`) reports statements and commits as they happen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What PostgreSQL does in a transaction without changing data. A SELECT that writes is part of a transaction that
# writes otherwise too.
_READS = re.compile(
    r"[\s(]*(?:SELECT|SHOW|SET|SAVEPOINT|RELEASE|ROLLBACK|LISTEN|UNLISTEN|DECLARE|FETCH|CLOSE|EXPLAIN|VALUES|LOCK)\b",
    re.IGNORECASE,
)
_WITH = re.compile(r"\s*WITH\b", re.IGNORECASE)
_WRITING_PART = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO|UPDATE\s+\S+\s+(?:AS\s+\S+\s+)?SET)\b", re.I)


class _Request(threading.local):
    is_counting = True
    # A statement of the open transaction has changed data.
    is_pending = False
    # Something was committed, or a connection was lost before PostgreSQL said whether it was.
    may_be_written = False


_request = _Request()


def begin() -> None:
    """A new request, or command: nothing was written."""
    _request.is_pending = _request.may_be_written = False


def may_be_written() -> bool:
    """False: it is certain that nothing was."""
    return _request.may_be_written


@contextmanager
def not_counted() -> Iterator[None]:
    """What is written inside is no part of what the request was sent for."""
    _request.is_counting = False
    try:
        yield
    finally:
        _request.is_counting = True


def changes_data(sql: object) -> bool:
    """True where that is not certain."""
    if not isinstance(sql, str):
        return True
    if _WITH.match(sql):
        return _WRITING_PART.search(sql) is not None
    return _READS.match(sql) is None


def executed(*, is_committed: bool) -> None:
    """A statement has changed data."""
    if _request.is_counting:
        if is_committed:
            _request.may_be_written = True
        else:
            _request.is_pending = True


def committed() -> None:
    """Or lost while committing."""
    _request.may_be_written = _request.may_be_written or _request.is_pending
    _request.is_pending = False


def rolled_back() -> None:
    _request.is_pending = False
