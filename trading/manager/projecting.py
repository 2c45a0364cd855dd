"""Lets the live store follow the manager: at once, or for many traders together in a thread of its own."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from functools import partial

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from trading.live import services as live

log = logging.getLogger(__name__)
EVERY_SECONDS = 0.5


class Projector:
    """Collects the traders whose record has changed, and projects them together: the cost of a projection is that of
    its statements, whether for one trader or for fifty."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._changed: set[str] = set()
        self._is_away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="manager live store", daemon=True)

    def start(self) -> None:
        _in_use[:] = [self]
        self._thread.start()

    def stop(self) -> None:
        """What was collected is projected before this returns, if it can be."""
        _in_use.clear()
        self._stop.set()
        self._thread.join()

    def add(self, *trader_ids: str) -> None:
        with self._guard:
            self._changed.update(trader_ids)

    def project(self) -> None:
        """What was collected; what cannot be projected now is collected again."""
        with self._guard:
            names, self._changed = self._changed, set()
        if names and (left := self._left_of(names)):
            with self._guard:
                self._changed |= left

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.project()
        self.project()
        connection.close()

    def _left_of(self, names: set[str]) -> set[str]:
        """Projects these traders; those that have to wait for PostgreSQL or Redis. The outage is said once, that of
        Redis by the live store."""
        try:
            done = live.follow(names)
        except (InterfaceError, OperationalError) as error:
            if not self._is_away:
                log.error("The live store does not follow the manager: %s", error)
            self._is_away = True
            with suppress(Error):
                connection.close()
            return names
        except Exception as error:
            # What cannot be projected in the record of one trader costs no other trader its values.
            if len(names) > 1:
                return set().union(*(self._left_of({name}) for name in names))
            log.error("The live store does not follow %s: %s", *names, error)
            return set()
        self._is_away = False
        return set() if done else names


_in_use: list[Projector] = []


def changed(*trader_ids: str) -> None:
    """After the commit the live store shows the new records of these traders, at once or soon."""
    if _in_use:
        transaction.on_commit(partial(_in_use[0].add, *trader_ids))
    else:
        live.changed(*trader_ids)
