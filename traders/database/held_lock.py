"""An advisory lock that one process of the site holds for as long as it lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import Error, connection

# The lock is held for days by a session that says nothing, which no time limit may end. Of one whose machine is gone
# the server hears nothing either, so it asks, and drops it when there is no answer. Older PostgreSQL lacks some of
# these.
_HOLD_AND_LET_GO = """
SELECT set_config(name, wanted.value, true)
  FROM (VALUES ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
               ('tcp_keepalives_idle', %(idle)s), ('tcp_keepalives_interval', %(interval)s),
               ('tcp_keepalives_count', %(count)s))
       AS wanted (name, value)
  JOIN pg_settings USING (name)
"""


# Each is taken on its own: a name that another process holds costs the others nothing.
_TAKE_NAMED = """
SELECT name FROM unnest(%(names)s::text[]) AS wanted (name)
 WHERE pg_try_advisory_xact_lock(hashtext(%(space)s), hashtext(name))
"""


@dataclass(frozen=True, slots=True)
class KeepAlives:
    """When a silent connection is asked whether it lives, how often, and how many answers may be missing."""

    idle_seconds: int = 15
    interval_seconds: int = 5
    count: int = 3


class HeldLock:
    """An advisory lock on a connection of its own, gone with the process that held it.

    It is held by an open transaction, so that a PgBouncer that pools by transaction keeps its server connection. The
    transaction has no snapshot between statements and holds back no vacuum.
    """

    def __init__(self, number: int, alive: KeepAlives | None = None) -> None:
        """`number` names the lock; it must stay the same in every release."""
        self._number = number
        self._alive = alive or KeepAlives()
        self._holder = self._connection()
        self._is_held = False

    def take(self) -> bool:
        """Whether this process holds it now. Raises django.db.Error when the database is away."""
        try:
            if self._is_held:
                return self.is_alive()
            self._holder.set_autocommit(False)
            alive = self._alive
            asked = {"idle": alive.idle_seconds, "interval": alive.interval_seconds, "count": alive.count}
            self._ask(_HOLD_AND_LET_GO, {name: str(value) for name, value in asked.items()})
            self._is_held = self._ask(f"SELECT pg_try_advisory_xact_lock({self._number})")
        except Error:
            self.release()
            raise
        if not self._is_held:
            self._holder.rollback()
        return self._is_held

    def is_alive(self) -> bool:
        """Whether it is held. Raises django.db.Error if the connection, and the lock with it, was lost meanwhile."""
        if self._is_held:
            try:
                self._ask("SELECT true")
            except Error:
                self.release()
                raise
        return self._is_held

    def take_named(self, space: str, names: Sequence[str]) -> set[str]:
        """Further locks, held as long as this one: those of these names that are free. Raises django.db.Error."""
        if not self._is_held or not names:
            return set()
        return {name for (name,) in self._rows(_TAKE_NAMED, {"space": space, "names": list(names)})}

    def release(self) -> None:
        """Afterwards another process can take it. A server that only sees the connection close lets go later."""
        if self._is_held:
            with suppress(Error):
                self._holder.rollback()
        self._is_held = False
        self._holder.close()
        self._holder = self._connection()

    def _connection(self) -> Any:
        """Threads may take turns at it: callers with several of them hold a lock of their own."""
        made = connection.copy()
        made.inc_thread_sharing()
        alive = self._alive
        made.settings_dict["OPTIONS"] = {
            **made.settings_dict.get("OPTIONS", {}),
            "keepalives_idle": alive.idle_seconds,
            "keepalives_interval": alive.interval_seconds,
            "keepalives_count": alive.count,
        }
        return made

    def _ask(self, statement: str, parameters: Mapping[str, object] | None = None) -> bool:
        return bool(self._rows(statement, parameters)[0][0])

    def _rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        with self._holder.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())
