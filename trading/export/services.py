"""Exports once, or at every beat while this process is the only exporter of its database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error, connection
from django.utils import timezone

from traders.database.migrated import require_migrated
from traders.database.outages import Complaints
from traders.schema.moments import now_ms
from trading.export.cycle import Exporter, ExportStopped
from trading.export.directory.manifest import Manifest
from trading.export.parts.options import Options
from trading.export.queries.snapshot import ExportLock, snapshot
from trading.export.status import file as status
from trading.export.status.file import ExportStatus
from trading.export.watch import Watch
from trading.guards import fleet as fleet_guards
from trading.guards import services as guards
from trading.live import services as live
from trading.record.months import services as months
from trading.record.writing import equity

log = logging.getLogger(__name__)
# How often one that waits asks whether the other one is gone.
WAIT_SECONDS = 2.0
# The share of the time between two beats in which analytics that are due may be computed.
ANALYTICS_SHARE = 0.2
# What a cycle itself spends on them: enough for a small fleet to be up to date in every run.
ANALYTICS_SECONDS = 0.1


class NotTheExporter(Exception):
    """Another process exports this database."""


@dataclass
class ExportLoop:
    """Exports until `stop` is set. `report` is called for each finished run, `say` for messages to a person, `tell` for
    the state of the exporter, also when its status file cannot be written.

    No failure of a cycle ends the loop: the cause, such as a row or a full disk, may be gone at the next beat.
    """

    options: Options
    every_seconds: float
    report: Callable[[Manifest], None] = lambda manifest: None
    say: Callable[[str], None] = lambda text: None
    tell: Callable[[ExportStatus], None] = lambda status: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._watch, self._complaints, self._is_migrated = Watch(), Complaints(), False

    def run(self) -> None:
        exporter, lock = Exporter(self.options, self.stop.is_set), ExportLock()
        due = time.monotonic()
        try:
            while not self.stop.is_set():
                if not self._take(lock):
                    self.stop.wait(WAIT_SECONDS)
                    due = time.monotonic()
                    continue
                self._beat(exporter)
                _keep_live_store_filled()
                _look_at_guards()
                _make_months()
                due = self._next(due)
                self._between(exporter, due)
                self.stop.wait(max(0.0, due - time.monotonic()))
        except Exception as error:
            # A fault of the loop itself. The supervisor of this process reads why it ended.
            self._watch.failed(error)
            self.tell(self._watch.status(0))
            raise
        finally:
            lock.release()

    def _take(self, lock: ExportLock) -> bool:
        """Takes the lock. False where another exporter works, which is said once, or the database is away or not yet
        migrated."""
        try:
            if not self._is_migrated:
                require_migrated()
                self._is_migrated = True
            is_ours = lock.take()
        except Exception as error:
            self._failed(error, None)
            return False
        if not is_ours and not self._watch.is_waiting:
            self.say("Another exporter is at work; waiting to take over.")
        self._watch.is_waiting = not is_ours
        if not is_ours:
            # The status file is the other one's.
            self.tell(self._watch.status(0))
        return is_ours

    def _beat(self, exporter: Exporter) -> None:
        try:
            manifest = exporter.cycle(analytics_seconds=ANALYTICS_SECONDS)
            self._watch.exported(sum(entry.is_stale for entry in manifest.files))
            self._watch.look()
            self._tell(exporter)
            self.report(manifest)
        except ExportStopped:
            return
        except Exception as error:
            # The next beat may find the disk emptied, the database back, or the data mended.
            self._failed(error, exporter)

    def _failed(self, error: Exception, exporter: Exporter | None) -> None:
        self._watch.failed(error)
        with suppress(Error):
            connection.close()
        words = str(self._watch.last_error).partition("\n")[0]
        if self._complaints.is_due(words):
            log.error("The export failed, readers see the last one: %s", words)
        self._tell(exporter)

    def _tell(self, exporter: Exporter | None) -> None:
        waiting, unreadable = (exporter.parts.analytics.waiting, exporter.parts.left_out.rows) if exporter else (0, [])
        now = self._watch.status(waiting, unreadable)
        self.tell(now)
        with suppress(OSError):
            status.write(self.options.root, now)

    def _next(self, due: float) -> float:
        """Beats that passed while one took too long are left out, not made up for."""
        due += self.every_seconds
        late = time.monotonic() - due
        if late > 0:
            missed = int(late // self.every_seconds) + 1
            self._watch.missed_beats += missed
            due += missed * self.every_seconds
        return due

    def _between(self, exporter: Exporter, due: float) -> None:
        """Computes due analytics for the next run."""
        until = min(due, time.monotonic() + ANALYTICS_SHARE * self.every_seconds)
        try:
            while exporter.parts.analytics.waiting and time.monotonic() < until and not self.stop.is_set():
                with snapshot():
                    exporter.parts.analytics.compute(0.0)
        except Exception:
            log.exception("Analytics could not be computed; the next beat tries again.")


def _look_at_guards() -> None:
    """Looks at open losses of engines that write nothing, after the parts of equity that programs wrote by SQL. A
    failure here does not stop the export."""
    try:
        equity.fill_newest(now_ms())
        guards.evaluate()
        fleet_guards.evaluate()
    except Exception as error:
        log.error("The guards could not be looked at: %s", error)
        with suppress(Error):
            connection.close()


def _make_months() -> None:
    """Where equity is divided by month. One that could not be made is made at a later beat: two are always ahead."""
    try:
        for month in months.make_ahead(timezone.now()):
            log.info("Points of equity of %s have a part of their own now.", month)
    except Exception as error:
        log.warning("The next month of equity could not be made: %s", error)
        with suppress(Error):
            connection.close()


def _keep_live_store_filled() -> None:
    """Runs here because this loop runs anyway: traders at rest stay fresh, and retired traders leave the
    leaderboard."""
    try:
        live.heal()
    except Exception as error:
        # Not the database alone: a number in the record that is none, such as NaN, fails here too.
        log.warning("The live store could not be filled again: %s: %s", type(error).__name__, error)


def export_once(options: Options) -> Manifest:
    """A whole run, analytics of every trader included. Raises NotTheExporter, OSError, django.db.Error."""
    lock, exporter, watch = ExportLock(), Exporter(options), Watch()
    try:
        if not lock.take():
            raise NotTheExporter
        manifest = exporter.cycle(analytics_seconds=None)
        watch.exported(sum(entry.is_stale for entry in manifest.files))
        watch.look()
        status.write(options.root, watch.status(exporter.parts.analytics.waiting, exporter.parts.left_out.rows))
        return manifest
    finally:
        lock.release()
