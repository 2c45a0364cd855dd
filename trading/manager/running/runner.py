"""Runs traders: each at its own interval, many at once, none held up by another one's model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error, connection
from django.utils import timezone

from traders.database.faults import said_by_server
from traders.database.outages import Complaints
from trading.manager.projecting import Projector
from trading.manager.queries import FleetReader, TraderNow, reported_next
from trading.manager.rules.schedule import first_due, next_due
from trading.manager.rules.share import FleetShare
from trading.manager.running.hearing import hearing
from trading.manager.running.locks import ManagerLock
from trading.manager.running.making import Workshop
from trading.manager.running.turns import Turns

log = logging.getLogger(__name__)
TICK_SECONDS = 0.2
WATCH_SECONDS = 1.0
TIDY_SECONDS = 3600.0
# Without an announcement a control or a version is seen after this time.
REREAD_SECONDS = 1.0
# A turn that begins later reads its trader for itself: it may have waited for a thread, and the loop for a server.
KNOWN_FOR_SECONDS = 2 * REREAD_SECONDS
# For the look at stops that is under way at the end.
LAST_LOOK_SECONDS = 20.0
STANDBY_SECONDS = 2.0
# Work with the database at the same time: its connections are few, and its work is short.
MORE_THREADS = 4


class TurnsFailed(Exception):
    """The log says why."""

    def __init__(self, trader_ids: Sequence[str]) -> None:
        super().__init__(f"The turn of {', '.join(trader_ids)} failed; the log says why.")


@dataclass
class Runner:
    """`say` is for messages to a person; `alive` is called about once a second while the database answers. `run` ends
    soon after `stop` is set; cycles that wait for a model are left, and the next start says so in the journal."""

    share: FleetShare
    workshop: Workshop
    say: Callable[[str], None] = lambda text: None
    alive: Callable[[], None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = ManagerLock(self.share.name)
        self._reader = FleetReader()
        self._turns = Turns(self.workshop, self._lock.is_held, self.say)
        self._fleet: dict[str, TraderNow] = {}
        self._read_at = 0.0
        self._due: dict[str, datetime] = {}
        self._busy: set[str] = set()
        self._begun: set[str] = set()
        self._told, self._complaints = threading.Event(), Complaints()
        self._is_waiting = False

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._listen, name="manager announcements", daemon=True),
            threading.Thread(target=self._watch, name="manager watch of stops", daemon=True),
        ]
        pool = ThreadPoolExecutor(self.workshop.limits.at_once + MORE_THREADS, thread_name_prefix="manager cycle")
        projector = Projector()
        projector.start()
        try:
            while not self.stop.is_set() and not self._begin():
                self.stop.wait(STANDBY_SECONDS)
            self._turns.introduce(self._fleet)
            for thread in threads:
                thread.start()
            self._loop(pool)
        finally:
            self.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            for thread in threads:
                if thread.is_alive():
                    # What filled goes into the record before the end.
                    thread.join(LAST_LOOK_SECONDS)
            projector.stop()
            self._lock.release()
            connection.close()

    def once(self) -> int:
        """One turn of each trader, now, one after the other. The number of turns. Raises TurnsFailed behind the last
        one, and django.db.Error at once."""
        if not self._begin():
            return 0
        failed = []
        try:
            now = timezone.now()
            for trader_id in sorted(self._fleet):
                try:
                    self._turns.take(trader_id, now)
                except Error:
                    raise
                except Exception:
                    log.exception("The turn of %s failed.", trader_id)
                    failed.append(trader_id)
            if failed:
                raise TurnsFailed(failed)
            return len(self._fleet)
        finally:
            self._lock.release()

    def _begin(self) -> bool:
        """Takes the share's lock. False while another manager runs the share."""
        try:
            is_ours = self._read()
        except Error as error:
            self._complain("The database does not answer", error)
            return False
        if not is_ours and not self._is_waiting:
            self.say(f"Another manager runs {self.share.words}; waiting to take over.")
        self._is_waiting = not is_ours
        return is_ours

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        looked_at = time.monotonic()
        while not self.stop.is_set():
            if self._told.is_set() or time.monotonic() - looked_at >= REREAD_SECONDS:
                self._told.clear()
                looked_at = time.monotonic()
                try:
                    if not self._read():
                        self.say("The lock is gone: no entries until it is taken again.")
                        self.stop.wait(STANDBY_SECONDS)
                        continue
                    self._say_stopped(pool, self._turns.follow(self._fleet))
                except Error as error:
                    # The lock may be gone with the connection, and another manager may run them meanwhile.
                    self._begun.clear()
                    self._complain("The database does not answer", error)
                    self.stop.wait(STANDBY_SECONDS)
                    continue
                except Exception:
                    # Whatever it is: no turn begins before it is known what is wanted, and stops are watched on.
                    log.exception("What is wanted of the traders could not be read")
                    self.stop.wait(STANDBY_SECONDS)
                    continue
            self._start_due(pool, timezone.now())
            self._told.wait(TICK_SECONDS)

    def _read(self) -> bool:
        """The fleet of now, as far as this manager holds it."""
        read_at = time.monotonic()
        chosen = self.share.of(self._reader.read(None))
        is_ours = self._lock.take(chosen)
        self.alive()
        if not is_ours:
            self._fleet = {}
            self._begun.clear()
            return False
        held = self._lock.traders
        fleet = {name: trader for name, trader in chosen.items() if name in held}
        # One in the middle of a turn is begun when that has ended.
        if new := fleet.keys() - self._begun - self._busy:
            # What another manager, or a turn that failed, left of them comes before anything else.
            self._turns.begin(new)
            # That may have taken longer than an edit or a stop may wait.
            read_at = time.monotonic()
            fleet = self._reader.read(fleet)
        self._fleet = fleet
        self._read_at = read_at
        self._begun.intersection_update(fleet)
        self._begun.update(new)
        self._plan(timezone.now())
        return True

    def _plan(self, now: datetime) -> None:
        new = [name for name in self._fleet if name not in self._due]
        told = reported_next(new) if new else {}
        for name in new:
            self._due[name] = first_due(name, self._fleet[name].interval_seconds, now, told.get(name))
        for name in set(self._due) - set(self._fleet):
            del self._due[name]
        for name, trader in self._fleet.items():
            # A shorter interval counts from now on.
            self._due[name] = min(self._due[name], now + timedelta(seconds=trader.interval_seconds))

    def _start_due(self, pool: ThreadPoolExecutor, now: datetime) -> None:
        ready = [name for name, due in self._due.items() if due <= now and name in self._begun]
        for name in sorted(ready, key=self._due.__getitem__):
            due = self._due[name]
            self._due[name] = next_due(due, self._fleet[name].interval_seconds, now)
            if name in self._busy:
                continue  # its last cycle still runs: this beat is left out
            self._busy.add(name)
            pool.submit(self._turn, name, due)

    def _turn(self, name: str, due: datetime) -> None:
        is_known = time.monotonic() - self._read_at <= KNOWN_FOR_SECONDS
        try:
            self._turns.take(name, due, self._fleet.get(name) if is_known else None)
        except Exception:
            log.exception("The turn of %s failed; its next one is at its next beat.", name)
            # It may have sent orders that are not in the record yet.
            self._begun.discard(name)
        finally:
            with suppress(Error):
                connection.close()
            self._busy.discard(name)

    def _say_stopped(self, pool: ThreadPoolExecutor, stopped: Sequence[TraderNow]) -> None:
        """Beside this loop: a stop of a large fleet holds up neither an edit nor the release behind it. A trader in the
        middle of a turn comes again."""
        for trader in stopped:
            name = trader.spec.id
            if name not in self._busy:
                self._busy.add(name)
                pool.submit(self._report_stopped, trader)

    def _report_stopped(self, trader: TraderNow) -> None:
        try:
            self._turns.report_stopped(trader)
        except Exception:
            log.exception("The stop of %s could not be reported; it is tried again.", trader.spec.id)
        finally:
            with suppress(Error):
                connection.close()
            self._busy.discard(trader.spec.id)

    def _watch(self) -> None:
        """Stops, targets, trailing stops, funding and closes, whatever the models do. Once an hour old orders go."""
        tidied_at = 0.0
        while not self.stop.wait(WATCH_SECONDS):
            try:
                self._turns.watch(list(self._fleet.values()))
                if not tidied_at or time.monotonic() - tidied_at >= TIDY_SECONDS:
                    tidied_at = time.monotonic()
                    self._turns.tidy(list(self._fleet))
            except Exception as error:
                self._complain("The stops could not be watched", error)
        connection.close()

    def _listen(self) -> None:
        while not self.stop.is_set():
            try:
                with hearing() as wait:
                    while not self.stop.is_set():
                        if wait(REREAD_SECONDS):
                            self._told.set()
            except Error:
                self.stop.wait(STANDBY_SECONDS)

    def _complain(self, what: str, error: Exception) -> None:
        if self._complaints.is_due(words := f"{what}: {said_by_server(error)}"):
            log.error("%s", words)
        with suppress(Error):
            connection.close()
