"""At most one password is checked at a time in a process. Checking is slow on purpose, and takes a whole core."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from django.conf import settings

# How long an attempt may wait for the one before it. Several checks fit in.
PATIENCE_SECONDS = 3.0


class Turn:
    """One holder; others wait, as many as may hold a thread. `waiting` says how many may."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0

    @contextlib.contextmanager
    def taken(self, waiting: int, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[bool]:
        """False, at once or after `patience_seconds`, if others are before it; nothing may be checked then."""
        is_ours = self._busy.acquire(blocking=False) or self._wait(waiting, patience_seconds)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._busy.release()

    def _wait(self, waiting: int, patience_seconds: float) -> bool:
        with self._counting:
            if self._waiting >= waiting:
                return False
            self._waiting += 1
        try:
            return self._busy.acquire(timeout=patience_seconds)
        finally:
            with self._counting:
                self._waiting -= 1


turn = Turn()


def most_waiting() -> int:
    """Half of the threads stay free for pages: one checks, and the rest of the other half waits."""
    return max(0, settings.WEB_THREADS // 2 - 1)
