"""What makes an export one: one exporter at a time across machines, and one moment for all that it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, Error, close_old_connections, connections, transaction

from traders.database import reading, replica, sql
from traders.database.faults import COLLISION, fault_of
from traders.database.held_lock import HeldLock

# An arbitrary number; it must stay the same in every release.
EXPORT_LOCK = 7_305_111


class ReplicaLost(Error):
    """The replica that a snapshot was read from failed. The next snapshot reads the primary."""


class ExportLock(HeldLock):
    """The process that holds it is the exporter."""

    def __init__(self) -> None:
        super().__init__(EXPORT_LOCK)


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads inside see the record as it was at the first of them: of the replica where that may be read."""
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        with transaction.atomic():
            yield
        return
    close_old_connections()
    with _source() as alias, transaction.atomic(using=alias):
        sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", alias=alias)
        yield


# Until when (seconds of the monotonic clock) the newest snapshot of this process showed the record.
_shown = [0.0]


@contextmanager
def _source() -> Iterator[str]:
    """What is kept between two exports is never newer than what is read: a replica that is further behind than the
    snapshot before is left out."""
    began = time.monotonic()
    seen = replica.readable()
    until = began - (seen.behind_seconds or 0.0) if seen else began
    if seen is None or until < _shown[0]:
        _shown[0] = began
        yield DEFAULT_DB_ALIAS
        return
    _shown[0] = until
    with reading.from_replica():
        try:
            yield reading.REPLICA
        except Error as error:
            replica.failed(error)
            raise ReplicaLost(str(error)) from error


def is_lost(error: Error) -> bool:
    """Whether the snapshot cannot be read on, after a statement in it failed with `error`. A replica ends what stands
    in the way of what it replays."""
    alias = reading.alias()
    return not connections[alias].is_usable() or (alias == reading.REPLICA and fault_of(error) is COLLISION)


@contextmanager
def on_its_own() -> Iterator[None]:
    """What fails inside leaves the rest of the snapshot readable."""
    with transaction.atomic(using=reading.alias()):
        yield
