"""Exporting: once, or at every beat as long as this process is the one exporter of its database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error, connection

from trading.exporter import status
from trading.exporter.cycle import Exporter, Stopped
from trading.exporter.manifest import Manifest
from trading.exporter.options import Options
from trading.exporter.watch import Watch
from trading.repositories.export_snapshot import ExportLock, snapshot
from trading.services import live

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
class Beats:
    """Exports until `stop` is set. `report` is told of each finished run, `say` of what a person should know."""

    options: Options
    every_seconds: float
    report: Callable[[Manifest], None] = lambda manifest: None
    say: Callable[[str], None] = lambda text: None
    stop: threading.Event = field(default_factory=threading.Event)
    _is_waiting: bool = field(default=False, init=False)

    def run(self) -> None:
        exporter, lock, watch = Exporter(self.options, self.stop.is_set), ExportLock(), Watch()
        due = time.monotonic()
        try:
            while not self.stop.is_set():
                if not self._take(lock, watch):
                    self.stop.wait(WAIT_SECONDS)
                    due = time.monotonic()
                    continue
                self._beat(exporter, watch)
                _keep_live_store_filled()
                due = self._next(due, watch)
                self._between(exporter, due)
                self.stop.wait(max(0.0, due - time.monotonic()))
        finally:
            lock.release()

    def _take(self, lock: ExportLock, watch: Watch) -> bool:
        """False where another one is at work, which is said once, or the database is away."""
        try:
            is_ours = lock.take()
        except Error as error:
            self._failed(watch, error, None)
            return False
        if not is_ours and not self._is_waiting:
            self.say("Another exporter is at work; waiting to take over.")
        self._is_waiting = not is_ours
        return is_ours

    def _beat(self, exporter: Exporter, watch: Watch) -> None:
        try:
            manifest = exporter.cycle(analytics_seconds=ANALYTICS_SECONDS)
            watch.cycles += 1
            watch.failed_documents += sum(entry.is_stale for entry in manifest.files)
            watch.look()
        except Stopped:
            return
        except Exception as error:
            # The next beat may find the disk emptied, or the database back.
            self._failed(watch, error, exporter)
            return
        self._tell(watch, exporter)
        self.report(manifest)

    def _failed(self, watch: Watch, error: Exception, exporter: Exporter | None) -> None:
        watch.failed(error)
        connection.close()
        log.error("The export failed, readers see the last one: %s", watch.last_error)
        self._tell(watch, exporter)

    def _tell(self, watch: Watch, exporter: Exporter | None) -> None:
        waiting, unreadable = (exporter.parts.analytics.waiting, exporter.parts.left_out.rows) if exporter else (0, [])
        with suppress(OSError):
            status.write(self.options.root, watch.status(waiting, unreadable))

    def _next(self, due: float, watch: Watch) -> float:
        """Beats that passed while one took too long are left out, not made up for."""
        due += self.every_seconds
        late = time.monotonic() - due
        if late > 0:
            missed = int(late // self.every_seconds) + 1
            watch.missed_beats += missed
            due += missed * self.every_seconds
        return due

    def _between(self, exporter: Exporter, due: float) -> None:
        """Computes analytics that are due, for the next run."""
        until = min(due, time.monotonic() + ANALYTICS_SHARE * self.every_seconds)
        try:
            while exporter.parts.analytics.waiting and time.monotonic() < until and not self.stop.is_set():
                with snapshot():
                    exporter.parts.analytics.compute(0.0)
        except Exception:
            log.exception("Analytics could not be computed; the next beat tries again.")


def _keep_live_store_filled() -> None:
    """The one loop that runs anyway: traders at rest stay fresh, and retired ones leave the leaderboard."""
    try:
        live.heal()
    except Error as error:
        log.warning("The live store could not be filled anew: %s", error)


def export_once(options: Options) -> Manifest:
    """A whole run, analytics of every trader included. Raises NotTheExporter, OSError, django.db.Error."""
    lock, exporter, watch = ExportLock(), Exporter(options), Watch()
    try:
        if not lock.take():
            raise NotTheExporter
        manifest = exporter.cycle(analytics_seconds=None)
        watch.cycles += 1
        watch.failed_documents += sum(entry.is_stale for entry in manifest.files)
        watch.look()
        status.write(options.root, watch.status(exporter.parts.analytics.waiting, exporter.parts.left_out.rows))
        return manifest
    finally:
        lock.release()
