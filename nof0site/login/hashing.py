"""The order of password checks. A check is slow on purpose and takes a whole core, so one runs at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from django.conf import settings

# How long an attempt may wait for the one before it. Several checks fit in.
PATIENCE_SECONDS = 3.0


class AttemptLock:
    """A lock for one attempt. Some attempts may wait for it, each client has at most one."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._counting = threading.Lock()
        self._present: set[str | None] = set()

    @contextlib.contextmanager
    def taken(self, client: str | None, waiting: int, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[bool]:
        """False if `waiting` others or another attempt of the client wait already, or after `patience_seconds`. Nothing
        may be checked then.
        """
        with self._counting:
            is_in_line = client not in self._present and len(self._present) <= waiting
            if is_in_line:
                self._present.add(client)
        is_ours = False
        try:
            is_ours = is_in_line and self._busy.acquire(timeout=patience_seconds)
            yield is_ours
        finally:
            if is_ours:
                self._busy.release()
            if is_in_line:
                with self._counting:
                    self._present.remove(client)


strangers = AttemptLock()
# Accounts at an address from which they logged in recently, so that guessing from elsewhere does not delay them.
known = AttemptLock()


def most_waiting() -> int:
    """Half of the threads stay free for pages. Of the other half one checks, the rest wait."""
    return max(0, settings.WEB_THREADS // 2 - 1)
