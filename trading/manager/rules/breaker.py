"""Keeps traders from asking a provider of models that fails all of them: it is asked again by one of them at a time.

Closed, every call goes through. After failures in a row of more than one trader it opens: calls are refused for a
pause. Then one call goes through as a probe (half-open). If it succeeds the breaker closes, else the pause doubles.
Failures of one trader alone never open it: what guards that trader is `max_errors_in_a_row`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES = 3
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0


class Breaker:
    """Of one provider. Thread-safe. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: list[str] = []
        self._pause = FIRST_PAUSE
        self._open_until: float | None = None
        self._probe: str | None = None

    def enter(self, trader_id: str) -> float | None:
        """None: the call goes through, and `succeeded` or `failed` must follow. Else the seconds until a probe may."""
        with self._lock:
            if self._open_until is None:
                return None
            left = self._open_until - self._clock()
            if left > 0 or self._probe is not None:
                return max(left, 1.0)
            self._probe = trader_id
            return None

    def succeeded(self) -> None:
        with self._lock:
            self._failed, self._pause, self._open_until, self._probe = [], FIRST_PAUSE, None, None

    def failed(self, trader_id: str) -> float | None:
        """The seconds of the pause that begins with it; None: none does."""
        with self._lock:
            if self._open_until is not None:
                if self._probe != trader_id:
                    return None  # a call from before it opened
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            else:
                self._failed = [*self._failed, trader_id][-FAILURES:]
                if len(self._failed) < FAILURES or len(set(self._failed)) == 1:
                    return None
            self._probe, self._open_until = None, self._clock() + self._pause
            return self._pause
