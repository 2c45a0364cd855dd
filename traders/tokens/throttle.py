"""How many requests a caller may send: a token bucket for each, in the memory of one process.

Each worker process counts for itself, so a site with several workers admits up to that many times the rate. What the
limit protects, the threads of a worker, belongs to the process too. A count that all processes share would have to be
kept in Redis: a round trip for every request, and no answer while Redis hangs.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable

_MOST_CALLERS = 10_000
"""Buckets kept. A bucket that is full again says nothing, so those are dropped first."""


class Throttle:
    """A bucket holds the requests of one second and fills at the rate; all threads of the process share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def wait_seconds(self, caller: Hashable, *, rate: int) -> int:
        """Takes one request of the caller: 0 where it is admitted, else whole seconds until one would be.

        `rate` is in requests a second; 0 admits everything.
        """
        if not rate:
            return 0
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(caller, (float(rate), now))
            left = min(float(rate), left + (now - at) * rate)
            if left < 1:
                self._buckets[caller] = (left, now)
                return max(1, math.ceil((1 - left) / rate))
            self._buckets[caller] = (left - 1, now)
            if len(self._buckets) > _MOST_CALLERS:
                self._drop_full(now, rate)
            return 0

    def _drop_full(self, now: float, rate: int) -> None:
        self._buckets = {
            caller: (left, at) for caller, (left, at) in self._buckets.items() if left + (now - at) * rate < rate
        }
