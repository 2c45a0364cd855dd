"""The way to Redis: the configured connection, and what happens while it is away.

A call never raises because of Redis. After a failure to connect or to answer in time no call is tried for
`COOL_OFF_SECONDS`, so that a trader waits for a dead server once and not at every write. Failures are counted; an
outage is logged once when it begins and once when it is over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from traders.schema.messages import _
from trading.record.rules.errors import RecordError

COOL_OFF_SECONDS = 1.0
ALIAS = "default"

log = logging.getLogger(__name__)
T = TypeVar("T")
Client = Any
"""redis.Redis, or redis.cluster.RedisCluster where a connection factory makes one."""


@cache
def client() -> Client:
    """The client of the site's settings. It is kept, because asking django-redis takes a tenth of a whole write."""
    return get_redis_connection(ALIAS)


class Outage:
    """One for each process; its threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silent_until = 0.0
        self._down: set[str] = set()
        self._to_heal = False
        self.failures: Counter[str] = Counter()

    def attempt(self, work: Callable[[Client], T], otherwise: T, *, what: str) -> T:
        """`otherwise` when Redis is away, refuses or was away a moment ago. `what` (read, write) is counted."""
        if time.monotonic() < self._silent_until:
            self._count(what)
            return otherwise
        try:
            done = work(client())
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            self._failed(what, error, cool_off=True)
            return otherwise
        except RedisError as error:
            # Full, read-only or a foreign type: it answers at once, so others may go on trying.
            self._failed(what, error, cool_off=False)
            return otherwise
        self._worked(what)
        return done

    def refused(self, what: str, error: ResponseError) -> None:
        """A single command of a batch was refused."""
        self._failed(what, error, cool_off=False)

    @property
    def missed_writes(self) -> bool:
        """Writes failed and were not repaired yet; False while they still fail."""
        return self._to_heal and not self._down

    def take_missed(self) -> bool:
        """`missed_writes`, and false from now on: the caller repeats them."""
        with self._lock:
            missed = self._to_heal and not self._down
            self._to_heal = self._to_heal and not missed
            return missed

    def want_healing(self) -> None:
        with self._lock:
            self._to_heal = True

    def forget(self) -> None:
        """Try again at once, on the connection that is configured now."""
        client.cache_clear()
        with self._lock:
            self._silent_until, self._to_heal = 0.0, False
            self._down.clear()

    def _count(self, what: str) -> None:
        with self._lock:
            self.failures[what] += 1
            self._to_heal |= what == "write"

    def _failed(self, what: str, error: Exception, *, cool_off: bool) -> None:
        self._count(what)
        with self._lock:
            is_new = what not in self._down
            self._down.add(what)
            if cool_off:
                self._silent_until = time.monotonic() + COOL_OFF_SECONDS
        if is_new:
            log.warning("The live store cannot %s: %s. Trading goes on; this is said once.", what, error)

    def _worked(self, what: str) -> None:
        if what not in self._down:
            return
        with self._lock:
            # A process that may write may read and count; reading alone proves nothing about writing.
            over = self._down & ({what, "read", "count"} if what == "write" else {what, "read"})
            self._down -= over
        if over:
            log.warning("The live store can %s again; %s calls failed so far.", what, sum(self.failures.values()))


outage = Outage()


class Unavailable(RecordError):
    """For commands and pages that can do nothing without Redis."""


def demand(work: Callable[[Client], T]) -> T:
    """Like `attempt`, but tries in every case and raises Unavailable."""
    try:
        return work(client())
    except (RedisError, OSError) as error:
        raise Unavailable(_("Redis does not do it: %(error)s", error=error)) from error
