"""Who runs a trader: one advisory lock a share, and one a trader, on one direct connection."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection

from django.db import Error

from traders.database.held_lock import HeldLock, KeepAlives

_FAST = KeepAlives(idle_seconds=2, interval_seconds=1, count=3)
"""A machine that is gone is noticed in about five seconds, by both sides."""
SPACE = "nof0.manager"


class ManagerLock:
    """`share` names what this manager runs, such as `1/3`; another manager of the same share waits. A trader that
    another share holds too is run by whoever took it first.

    Its methods may be called from any thread."""

    def __init__(self, share: str) -> None:
        digest = hashlib.blake2b(f"{SPACE}|{share}".encode(), digest_size=8).digest()
        self._lock = HeldLock(int.from_bytes(digest, signed=True), _FAST)
        self._guard = threading.Lock()
        self._traders: set[str] = set()

    def take(self, trader_ids: Collection[str]) -> bool:
        """Whether this manager runs its share now; then it also takes those of these traders that are free. Raises
        django.db.Error where the database is away."""
        with self._guard:
            try:
                if not self._lock.take():
                    self._traders.clear()
                    return False
                self._traders |= self._lock.take_named(SPACE, sorted(set(trader_ids) - self._traders))
            except Error:
                self._traders.clear()
                raise
            return True

    @property
    def traders(self) -> frozenset[str]:
        """Those that this manager holds, as it last knew."""
        return frozenset(self._traders)

    def is_held(self, trader_id: str) -> bool:
        """Asked of the database: False once the connection was lost."""
        with self._guard:
            if trader_id not in self._traders:
                return False
            try:
                return self._lock.is_alive()
            except Error:
                self._traders.clear()
                return False

    def release(self) -> None:
        with self._guard:
            self._traders.clear()
            self._lock.release()
