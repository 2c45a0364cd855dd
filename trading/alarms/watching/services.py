"""Looks at everything that alarms watch, and keeps the alarms as it finds them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from traders.database.faults import said_by_server
from traders.database.held_lock import HeldLock
from traders.database.migrated import require_migrated
from traders.database.outages import Complaints
from trading.alarms import queries, services, writer
from trading.alarms.rules.catalogue import RULES, AlarmName, Ending
from trading.alarms.sending import writer as outbox_writer
from trading.alarms.sending.services import Outbox, call_heartbeat
from trading.alarms.sending.transport import NotSent
from trading.alarms.watching import controls, record, site
from trading.alarms.watching.causes import AlarmLook, Cause, WatchOutage
from trading.alarms.watching.queries import backlog
from trading.export.status import alarms as alarm_status
from trading.export.status import file as export_status
from trading.export.status.alarms import AlarmStatus
from trading.export.status.board import Board

Watcher = Callable[[AlarmLook], Iterator[Cause]]

# An arbitrary number; it must stay the same in every release.
ALARM_LOCK = 7_305_112
POLL_SECONDS = 1.0
# A page that has waited for so long is not heard: the heartbeat stops.
UNHEARD_SECONDS = 300.0
# Beyond the time between two looks: a process that starts after more has an outage behind it.
AWAY_SECONDS = 30.0

log = logging.getLogger(__name__)


def watchers() -> Mapping[AlarmName, Watcher]:
    """A function for each rule that is watched; the others are raised by what they are about."""
    return {
        AlarmName.CONTROL_NOT_FOLLOWED: controls.control_not_followed,
        AlarmName.AGAINST_CONTROL: record.against_control,
        AlarmName.CLOSE_EXPIRED: controls.close_expired,
        AlarmName.PIN_OLD: controls.pin_old,
        AlarmName.VERSION_BEHIND: controls.version_behind,
        AlarmName.ENGINE_ERROR: record.engine_error,
        AlarmName.FILE_DIFFERS: site.file_differs,
        AlarmName.REPORT_OVERDUE: record.report_overdue,
        AlarmName.EQUITY_STALE: record.equity_stale,
        AlarmName.PRICES_STALE: record.prices_stale,
        AlarmName.NO_LIVE_STOP: record.no_live_stop,
        AlarmName.EXCHANGE_DIFFERS: record.exchange_differs,
        AlarmName.LIQUIDATION: record.liquidation,
        AlarmName.MODEL_ERRORS: record.model_errors,
        AlarmName.ENGINE_CLOCK: record.engine_clock,
        AlarmName.CLOSE_WITHOUT_TRADE: record.close_without_trade,
        AlarmName.CONFIG_CHANGED: site.ConfigChanges(),
        AlarmName.CONFLICT_WAITING: site.conflict_waiting,
        AlarmName.UNREADABLE_ROWS: site.unreadable_rows,
        AlarmName.EXPORTER_RESTARTED: site.exporter_restarted,
        AlarmName.EXPORT_LATE: site.export_late,
        AlarmName.STORE_AWAY: site.store_away,
        AlarmName.BACKUP_OLD: site.backup_old,
    }


class AlarmWatch:
    """One look at a time. It remembers what it needs not read again."""

    def __init__(self, export_dir: Path, board: Board | None = None) -> None:
        self._export_dir, self._board = export_dir, board
        self._watchers = watchers()

    def look(self, outage: WatchOutage | None = None) -> bool:
        """Raises, counts and ends alarms. A rule that cannot be asked keeps its alarms as they are, and stops no other.
        True: every rule could be asked. Raises django.db.Error where the database is away."""
        connection.ensure_connection()
        status = export_status.read(self._export_dir)
        supervision = self._board.supervision.read() if self._board else None
        now, is_well = timezone.now(), True
        for name, in_force in queries.rules_in_force().items():
            watcher = self._watchers.get(name)
            if watcher is None:
                continue
            look = AlarmLook(
                now, float(in_force.threshold), in_force.paths, self._export_dir, status, supervision, outage
            )
            try:
                with writer.on_its_own():
                    # A rule that is switched off has no causes: its open alarms end.
                    _keep(name, list(watcher(look)) if in_force.severity else [])
            except Exception:
                is_well = False
                log.exception("The alarm rule %s could not be asked.", name)
                connection.ensure_connection()
        return is_well


def _keep(name: AlarmName, found: list[Cause]) -> None:
    """The alarms of a rule as its causes are now."""
    if RULES[name].ending is Ending.BY_PERSON:
        # What happened is told once, however long ago its alarm ended.
        told = queries.told_figures(name, [cause.subject for cause in found])
        found = [cause for cause in found if _is_more(cause, told.get(cause.subject))]
    else:
        for gone in sorted(queries.open_subjects(name) - {cause.subject for cause in found}):
            services.end_alarm(name, gone)
    for cause in sorted(found, key=lambda one: one.subject):
        services.raise_alarm(
            name,
            cause.message,
            subject=cause.subject,
            traders=cause.traders,
            figures=cause.figures,
            adds_traders=RULES[name].ending is Ending.BY_PERSON and bool(cause.grows_by),
            grows_by=cause.grows_by,
        )


def _is_more(cause: Cause, told: Mapping[str, Any] | None) -> bool:
    return told is None or any(cause.figures[name] > told.get(name, 0) for name in cause.grows_by)


@dataclass
class AlarmLoop:
    """Sends what is due, and looks at every beat if no other process does. No fault of a receiver, a rule or the
    database ends it."""

    watch: AlarmWatch
    export_dir: Path
    every_seconds: float
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._outbox = Outbox()
        self._outage: WatchOutage | None = None
        self._looked_at = 0.0
        self._was_away, self._is_migrated, self._complaints = True, False, Complaints()

    def run(self) -> None:
        due, lock = time.monotonic(), HeldLock(ALARM_LOCK)
        try:
            while not self.stop.is_set():
                try:
                    close_old_connections()
                    if not self._is_migrated:
                        require_migrated()
                        self._is_migrated = True
                    if time.monotonic() >= due:
                        due = time.monotonic() + self.every_seconds
                        self._beat(lock)
                    is_busy = self._outbox.step(POLL_SECONDS)
                except Error as error:
                    is_busy, self._was_away = False, True
                    if self._complaints.is_due(words := said_by_server(error)):
                        log.warning("Alarms cannot be read or written: %s", words)
                    connection.close()
                if not is_busy:
                    self.stop.wait(POLL_SECONDS)
        finally:
            self._outbox.close()
            lock.release()

    def once(self) -> None:
        """A look, and all that is due. Raises django.db.Error."""
        # Single looks may lie some minutes apart.
        lock, self._was_away = HeldLock(ALARM_LOCK), False
        try:
            self._beat(lock)
            self._outbox.drain()
        finally:
            self._outbox.close()
            lock.release()

    def _beat(self, lock: HeldLock) -> None:
        if not lock.take():
            self._was_away = True
            return
        self._note_outage()
        self._look()
        self._looked_at, self._was_away = time.time(), False

    def _note_outage(self) -> None:
        """Between two looks that are too far apart. The one before this process was another one's, or its status file
        could not be written: what this process remembers comes first, so that a full disk does not silence alarms."""
        now, status = time.time(), alarm_status.read(self.export_dir)
        if self._outage is None and status and status.outage_until:
            since = status.outage_since
            self._outage = WatchOutage(_moment(status.outage_until), None if since is None else _moment(since))
        before = max(self._looked_at, status.at if status else 0.0)
        allowed = AWAY_SECONDS + self.every_seconds
        if not self._was_away:
            allowed = max(3 * self.every_seconds, UNHEARD_SECONDS)
        if now - before > allowed:
            self._outage = WatchOutage(_moment(now), _moment(before) if before else None)

    def _look(self) -> None:
        is_well = self.watch.look(self._outage)
        channels = queries.channels()
        outbox_writer.end_old_notices()
        outbox_writer.cancel_for_others(channels)
        outbox_writer.repeat_pages(channels)
        status = self._status(is_well=is_well)
        try:
            alarm_status.write(self.export_dir, status)
        except OSError as error:
            log.warning("The status of alarms could not be written: %s", error)
        if status.is_well and settings.ALARM_HEARTBEAT_URL:
            # A server that is slow to take it holds up no alarm.
            threading.Thread(target=_heartbeat, name="alarm-heartbeat", daemon=True).start()

    def _status(self, *, is_well: bool) -> AlarmStatus:
        counts, waits, outage = queries.open_counts(timezone.now()), backlog(), self._outage
        return AlarmStatus(
            at=time.time(),
            open_pages=counts.pages,
            unacknowledged=counts.unacknowledged,
            open_notices=counts.notices,
            waiting=waits.waiting,
            oldest_waiting_seconds=waits.oldest_seconds,
            sent=self._outbox.sent,
            failed=self._outbox.failed,
            is_well=is_well and waits.oldest_page_seconds < UNHEARD_SECONDS,
            outage_since=outage.since.timestamp() if outage and outage.since else None,
            outage_until=outage.until.timestamp() if outage else None,
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _heartbeat() -> None:
    try:
        call_heartbeat()
    except NotSent as error:
        log.warning("The heartbeat of ALARM_HEARTBEAT_URL was not taken: %s.", error)
