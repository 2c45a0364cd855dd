"""The state of the servers and of the disk, as the exporter finds it, for its status."""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Sequence

from django.db import DatabaseError

from traders.database import replica
from traders.schema.messages import _, verbatim
from trading.export.queries import fleet as export_fleet
from trading.export.queries.fleet import SyncState
from trading.export.status.file import ExportStatus, ServerSeen
from trading.live.keys import MARKET_CTX, PRICE, TRADER_HASHES, Key
from trading.live.redis import store
from trading.live.redis.outage import outage
from trading.live.upkeep import status as live_status
from trading.record.exclusions import queries as exclusions
from trading.schema.live_store.answers import FreshValue, StaleValue
from trading.schema.unreadable import Unreadable

MOST_ERROR_CHARACTERS = 300
# Health, metrics and pages read the status at every request.
MOST_UNREADABLE_NAMED = 500
# What the system says of a disk that is full, broken, gone or not to be written.
DISK_ERRORS = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EIO,
        errno.EACCES,
        errno.EPERM,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EFBIG,
        errno.ESTALE,
    }
)


class Watch:
    def __init__(self) -> None:
        self.cycles = self.failed_cycles = self.failed_documents = self.query_errors = self.missed_beats = 0
        self.last_error: str | None = None
        self.is_waiting = False
        self._is_failing = False
        self._last_error_at: float | None = None
        self._disk: ServerSeen | None = None
        self._replica: ServerSeen | None = None
        self._behind: float | None = None
        self._postgres, self._redis = ServerSeen(is_up=False), ServerSeen(is_up=False)
        self._versions: dict[str, int] = {}
        self._sync = SyncState()
        self._aside: dict[str, int] = {}
        self._live_ages: dict[str, float] = {}
        self._persisted: dict[str, int] = {}

    def failed(self, error: Exception) -> None:
        self.failed_cycles += 1
        self._is_failing = True
        self._last_error_at = time.time()
        self.last_error = f"{type(error).__name__}: {error}".strip()[:MOST_ERROR_CHARACTERS]
        if isinstance(error, DatabaseError):
            self.query_errors += 1
            self._postgres = ServerSeen(is_up=False, at=self._postgres.at, error=verbatim(self.last_error))
        elif isinstance(error, OSError) and error.errno in DISK_ERRORS:
            self._disk = ServerSeen(
                is_up=False, at=self._disk.at if self._disk else None, error=verbatim(self.last_error)
            )

    def exported(self, failed_documents: int) -> None:
        """A run is published."""
        self.cycles += 1
        self.failed_documents += failed_documents
        self._is_failing = False
        self._disk = ServerSeen(is_up=True, at=time.time())

    def look(self) -> None:
        """At both stores and the replica. Raises django.db.Error of the primary."""
        self._versions = {result.trader_id: result.version for result in export_fleet.results()}
        self._sync = export_fleet.sync_state()
        self._aside = exclusions.counts_by_kind()
        self._postgres = ServerSeen(is_up=True, at=time.time())
        self._look_at_replica()
        self._live_ages = {}
        self._persisted = live_status.persisted()
        answers = [self._age(key) for key in (PRICE, MARKET_CTX, *TRADER_HASHES)]
        if all(answers) and store.read_leaderboard() is not None:
            self._redis = ServerSeen(is_up=True, at=time.time())
        else:
            self._redis = ServerSeen(is_up=False, at=self._redis.at, error=_("does not answer"))

    def status(self, analytics_waiting: int, unreadable: Sequence[Unreadable] = ()) -> ExportStatus:
        return ExportStatus(
            at=time.time(),
            pid=os.getpid(),
            postgres=self._postgres,
            redis=self._redis,
            cycles=self.cycles,
            failed_cycles=self.failed_cycles,
            failed_documents=self.failed_documents,
            query_errors=self.query_errors,
            redis_errors=sum(outage.failures.values()),
            missed_beats=self.missed_beats,
            analytics_waiting=analytics_waiting,
            last_error=self.last_error,
            last_error_at=self._last_error_at,
            is_failing=self._is_failing,
            is_waiting=self.is_waiting,
            disk=self._disk,
            replica=self._replica,
            replica_behind_seconds=self._behind,
            config_versions=self._versions,
            live_ages=self._live_ages,
            live_persisted=self._persisted,
            synced_at=self._sync.at,
            sync_conflicts=self._sync.conflicts,
            sync_traders=self._sync.traders,
            sync_written=self._sync.written,
            set_aside=self._aside,
            unreadable=dict(Counter(row.table for row in unreadable)),
            unreadable_rows=list(unreadable[:MOST_UNREADABLE_NAMED]),
        )

    def _look_at_replica(self) -> None:
        if not replica.is_configured():
            return
        seen = replica.seen()
        at = time.time() if seen.why is None else self._replica.at if self._replica else None
        self._replica, self._behind = ServerSeen(seen.why is None, at, seen.why), seen.behind_seconds

    def _age(self, key: Key) -> bool:
        found = store.read_all(key)
        if found is None:
            return False
        ages = [answer.age_seconds for answer in found.values() if isinstance(answer, FreshValue | StaleValue)]
        if ages:
            # What lies ahead of this server's clock is no younger than now.
            self._live_ages[key.name] = round(max(0.0, min(ages)), 3)
        return True
