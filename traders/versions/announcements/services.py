"""What changed since a cursor, at once or as soon as something does: for engines that cannot listen themselves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from traders.schema.cursor import Cursor
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.announcements import queries as announcements
from traders.versions.rules.errors import AheadOfHistory

log = logging.getLogger(__name__)

# Announcements wake waiting readers. Where none arrives, a change is seen this much later.
RECHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """`cursor` is where to go on from. `is_all`: nothing is left beyond these."""

    versions: list[StoredConfig]
    cursor: Cursor
    is_all: bool


def now() -> Cursor:
    """Behind everything that is stored."""
    return Cursor(announcements.newest_position())


def since(place: Cursor, *, config_ids: Collection[str] | None = None, limit: int) -> ChangesSince:
    """At most `limit` versions past `place`, oldest first. Raises UnknownConfig, and AheadOfHistory for a cursor of
    another history."""
    newest = announcements.newest_position()
    if place.position > newest:
        raise AheadOfHistory(str(place), newest)
    if config_ids is not None:
        configs.active(config_ids)
    versions, last = announcements.after(place, until=newest, ids=config_ids, limit=limit)
    return ChangesSince(versions, last or max(place, Cursor(newest)), is_all=last is None)


def wait_for_some(
    place: Cursor, *, config_ids: Collection[str] | None = None, limit: int, seconds: float
) -> ChangesSince:
    """As `since`, but where there is nothing it waits for it, at most `seconds`."""
    deadline = time.monotonic() + seconds
    found = since(place, config_ids=config_ids, limit=limit)
    while found.is_all and not found.versions and not watch.is_over and (left := deadline - time.monotonic()) > 0:
        watch.wait_beyond(found.cursor.position, left)
        found = since(found.cursor, config_ids=config_ids, limit=limit)
    return found


def let_go() -> None:
    """Who waits is answered now, and nobody waits again: this process is about to end."""
    watch.end()


@contextmanager
def place_to_wait() -> Iterator[bool]:
    """False when as many wait in this process as may: each holds a thread of the web server."""
    has_place = _places.acquire(blocking=False)
    try:
        yield has_place
    finally:
        if has_place:
            _places.release()


class _Watch:
    """One thread looks for all who wait in this process, and ends when nobody does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0
        self._is_watching = False
        self._newest = 0
        self._failures = 0
        self.is_over = False

    def end(self) -> None:
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def wait_beyond(self, position: int, seconds: float) -> None:
        """Returns when there is a newer one, when the time is up, or when nobody can look: the caller reads anyway."""
        with self._changed:
            failures = self._failures
            self._waiting += 1
            try:
                self._begin()
                self._changed.wait_for(
                    lambda: self.is_over or self._newest > position or self._failures > failures, seconds
                )
            finally:
                self._waiting -= 1

    def _begin(self) -> None:
        if not self._is_watching:
            self._is_watching, self._newest = True, 0
            threading.Thread(target=self._look, name="config-changes", daemon=True).start()

    def _look(self) -> None:
        is_done = False
        try:
            with announcements.listening() as wait:
                while self._goes_on(announcements.newest_position()):
                    wait(RECHECK_SECONDS)
            is_done = True
        except DatabaseError as error:
            log.warning("Changes of configurations cannot be watched; waiting engines are answered now: %s", error)
        finally:
            # However the thread ends, the next one who waits begins another.
            if not is_done:
                self._failed()

    def _failed(self) -> None:
        with self._changed:
            self._is_watching = False
            self._failures += 1
            self._changed.notify_all()

    def _goes_on(self, newest: int) -> bool:
        with self._changed:
            self._newest = newest
            self._changed.notify_all()
            self._is_watching = self._waiting > 0
            return self._is_watching


watch = _Watch()
_places = threading.BoundedSemaphore(max(1, settings.LONG_POLLS))
