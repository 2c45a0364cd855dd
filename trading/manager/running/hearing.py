"""Hears of new versions and controls while the manager runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

from traders.versions.announcements.queries import CHANNEL, CONTROL_CHANNEL


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextmanager
def hearing() -> Iterator[Callable[[float], bool]]:
    """Gives a function that waits for the next announcement, at most so many seconds, and says whether there was one.
    On a connection of its own, beside a PgBouncer where the site knows the way. Raises django.db.Error."""
    own = connection.copy()
    if direct := settings.DATABASE_DIRECT:
        own.settings_dict = {**own.settings_dict, **direct, "POOLED_BY_TRANSACTION": False}
    if own.settings_dict.get("POOLED_BY_TRANSACTION"):
        # It delivers none, and would pass the LISTEN on to its next client.
        yield _sleep
        return
    try:
        with own.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}; LISTEN {CONTROL_CHANNEL}")
        raw: Any = own.connection

        def wait(seconds: float) -> bool:
            with own.wrap_database_errors:
                return any(True for _announcement in raw.notifies(timeout=seconds, stop_after=1))

        yield wait
    finally:
        own.close()
