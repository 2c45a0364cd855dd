"""Whether the replica may be read: reachable, a replica of this very database, and not too far behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from traders.database import sql
from traders.database.faults import said_by_server
from traders.database.reading import REPLICA
from traders.schema.messages import TranslatableText, _, verbatim

# Each process looks so often at most, and asks a replica that failed again after so long.
LOOK_SECONDS, REST_SECONDS = 1.0, 10.0

# A replica's own clock is not asked: both moments are those of the primary. What was committed without waiting for the
# disk is inserted, and not written yet.
_WRITTEN = """
SELECT pg_current_wal_insert_lsn()::text AS position, clock_timestamp() AS at, system_identifier
  FROM pg_control_system()
"""
_REPLAYED = """
SELECT pg_is_in_recovery() AS is_replica, pg_last_wal_replay_lsn() >= %s::pg_lsn AS has_all,
       pg_last_xact_replay_timestamp() AS replayed_at, system_identifier FROM pg_control_system()
"""


@dataclass(frozen=True, slots=True)
class ReplicaSeen:
    """`behind_seconds`: how old what it shows may be, None where not known. `why` it is not read, None: it is."""

    behind_seconds: float | None
    why: TranslatableText | None = None


def is_configured() -> bool:
    return REPLICA in connections.settings


def readable() -> ReplicaSeen | None:
    """The replica as seen within the last second, if it may be read; None otherwise."""
    found = seen() if is_configured() else None
    return found if found is not None and found.why is None else None


def seen() -> ReplicaSeen:
    """As it was within the last second, or when it failed. Raises no error of either server: one that cannot be asked
    is a reason not to read the replica."""
    return _watch.seen()


def failed(error: Exception) -> None:
    """A read of it failed. It is left alone for a while."""
    _watch.failed(error)


def forget() -> None:
    """As in a process that has just begun."""
    _watch.forget()


class _Watch:
    """Shared by the threads of a process. While one of them looks, the others go by what was seen before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looking = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._seen, self._until = ReplicaSeen(None, _("was not looked at yet")), 0.0

    def seen(self) -> ReplicaSeen:
        if self._clock() >= self._until and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._seen

    def failed(self, error: Exception) -> None:
        with suppress(Error):
            connections[REPLICA].close()
        self._keep(ReplicaSeen(None, verbatim(said_by_server(error)[:300])), REST_SECONDS)

    def _look(self) -> None:
        try:
            self._keep(_judged(), LOOK_SECONDS)
        except Error as error:
            self.failed(error)

    def _keep(self, seen: ReplicaSeen, seconds: float) -> None:
        self._seen, self._until = seen, self._clock() + seconds


def _judged() -> ReplicaSeen:
    (written,) = sql.rows(_WRITTEN, alias=DEFAULT_DB_ALIAS)
    (replayed,) = sql.rows(_REPLAYED, [written.position], alias=REPLICA)
    if not replayed.is_replica:
        return ReplicaSeen(None, _("takes writes: it is no replica, or no longer one"))
    if replayed.system_identifier != written.system_identifier:
        return ReplicaSeen(None, _("is the replica of another server"))
    behind = _behind_seconds(written, replayed)
    if behind is None:
        return ReplicaSeen(None, _("does not say how far it is behind"))
    limit = settings.REPLICA_LAG_SECONDS
    late = _("is %(n)d s behind, and %(limit)d s are allowed", n=round(behind), limit=limit) if behind > limit else None
    return ReplicaSeen(behind, late)


def _behind_seconds(written: Any, replayed: Any) -> float | None:
    """What it shows is at least as new as the last commit that it replayed."""
    if replayed.has_all:
        return 0.0
    if replayed.replayed_at is None:
        return None
    behind: timedelta = written.at - replayed.replayed_at
    return max(0.0, behind.total_seconds())


_watch = _Watch()
