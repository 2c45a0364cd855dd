"""What makes an export one: one exporter at a time across machines, and one moment for all that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, close_old_connections, connection, transaction

from traders.database import sql

# An arbitrary number; it must stay the same in every release.
EXPORT_LOCK = 7_305_111
# The lock is held for days by a session that says nothing, which no time limit may end. Of one whose machine is gone
# the server hears nothing either, so it asks, and drops it after half a minute. Older PostgreSQL lacks some of these.
_HOLD_AND_LET_GO = """
SELECT set_config(name, wanted.value, true)
  FROM (VALUES ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
               ('tcp_keepalives_idle', '15'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'))
       AS wanted (name, value)
  JOIN pg_settings USING (name)
"""


class ExportLock:
    """An advisory lock on a connection of its own, gone with the process that held it.

    It is held by an open transaction, so that a PgBouncer that pools by transaction keeps its server connection. The
    transaction has no snapshot between statements and holds back no vacuum.
    """

    def __init__(self) -> None:
        self._holder = connection.copy()
        self._is_held = False

    def take(self) -> bool:
        """Whether this process is the exporter now. Raises django.db.Error when the database is away."""
        try:
            if self._is_held:
                # Fails if the connection, and the lock with it, was lost meanwhile.
                self._ask("SELECT true")
                return True
            self._holder.set_autocommit(False)
            self._ask(_HOLD_AND_LET_GO)
            self._is_held = self._ask(f"SELECT pg_try_advisory_xact_lock({EXPORT_LOCK})")
        except Error:
            self.release()
            raise
        if not self._is_held:
            self._holder.rollback()
        return self._is_held

    def release(self) -> None:
        self._is_held = False
        self._holder.close()
        self._holder = connection.copy()

    def _ask(self, statement: str) -> bool:
        with self._holder.cursor() as cursor:
            cursor.execute(statement)
            return bool(cursor.fetchall()[0][0])


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads inside see the record as it was at the first of them."""
    is_outermost = not connection.in_atomic_block
    if is_outermost:
        close_old_connections()
    with transaction.atomic():
        if is_outermost:
            sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def is_lost() -> bool:
    """Whether the snapshot cannot be read on, after a statement in it failed."""
    return not connection.is_usable()


@contextmanager
def on_its_own() -> Iterator[None]:
    """What fails inside leaves the rest of the snapshot readable."""
    with transaction.atomic():
        yield
