"""Decides when the live store is filled again from PostgreSQL, and by which process.

This is needed after writes were missed while Redis was away, when Redis was found empty, and every few minutes, so that
the values of traders at rest stay fresh and retired ones leave the leaderboard. One process at a time does it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, connection

from trading.live import rebuild
from trading.live.redis.mode import follower
from trading.live.redis.outage import outage
from trading.live.redis.reads import now_us
from trading.schema.live_store.values import US_PER_SECOND

REFRESH_SECONDS = 300
Rebuild = Callable[[], int | None]

log = logging.getLogger(__name__)
_aside = threading.Lock()


def is_needed() -> bool:
    """Raises UnknownMode."""
    follower.current()
    return outage.missed_writes or _is_old()


def heal(rebuild_all: Rebuild) -> bool:
    """True if it did. Returns quickly if no rebuild is due or another process holds the lock."""
    if not is_needed() or not outage.attempt(rebuild.try_lock, False, what="write"):
        return False
    try:
        # Another process may have rebuilt it between the check and the lock.
        follower.current(now=True)
        missed, done = outage.take_missed(), False
        try:
            done = (missed or _is_old()) and rebuild_all() is not None
        finally:
            if missed and not done:
                outage.want_healing()
        return done
    finally:
        follower.current(now=True)
        outage.attempt(rebuild.unlock, None, what="write")


def heal_aside(rebuild_all: Rebuild) -> None:
    """In a thread of its own, so that trading does not wait for it. Inside a transaction here: a thread would not see
    what the transaction wrote."""
    if not is_needed():
        return
    if connection.in_atomic_block:
        heal(rebuild_all)
    elif _aside.acquire(blocking=False):
        threading.Thread(target=_heal_and_release, args=[rebuild_all], name="live-store-healing", daemon=True).start()


def _heal_and_release(rebuild_all: Rebuild) -> None:
    try:
        heal(rebuild_all)
    except DatabaseError as error:
        log.warning("The live store could not be filled again: %s", error)
    finally:
        connection.close()
        _aside.release()


def _is_old() -> bool:
    return follower.filled_us is not None and now_us() - follower.filled_us > REFRESH_SECONDS * US_PER_SECOND
