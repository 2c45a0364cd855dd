from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from nof0site.postgresql import limits
from nof0site.postgresql.moments import read_every_moment
from traders.database import writes
from traders.database.faults import is_lost


class DatabaseWrapper(base.DatabaseWrapper):
    """Applies the time limits of this process, and reports to `writes` what may have been written.

    A direct connection is opened with them. PgBouncer, pooling by transaction, refuses or forgets what a session sets:
    there the limits of pages are the role's own (`role_limits`), and others are set in each transaction.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(self._telling_of_writes)
        if self._is_pooled:
            self.execute_wrappers.append(self._within_limits)

    @property
    def _is_pooled(self) -> bool:
        return bool(self.settings_dict.get("POOLED_BY_TRANSACTION"))

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if not self._is_pooled:
            # The options of DATABASE_URL come last and override these.
            parameters["options"] = f"{limits.current().startup_options} {parameters.get('options', '')}".strip()
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        read_every_moment(connection)
        return connection

    def _within_limits(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Set the limits before the first statement of a transaction; a statement outside of one gets its own."""
        wanted = limits.current()
        raw: Any = self.connection
        if wanted == settings.DATABASE_LIMITS or raw.info.transaction_status is not TransactionStatus.IDLE:
            return execute(sql, params, many, context)
        with raw.transaction() if raw.autocommit else nullcontext():
            raw.execute(wanted.set_local)
            return execute(sql, params, many, context)

    def _telling_of_writes(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        is_committed = not self.in_atomic_block and self.autocommit
        try:
            result = execute(sql, params, many, context)
        except Error as error:
            if is_committed and is_lost(error) and writes.changes_data(sql):
                writes.executed(is_committed=True)
            raise
        if writes.changes_data(sql):
            writes.executed(is_committed=is_committed)
        return result

    def commit(self) -> None:
        try:
            super().commit()
        except Error as error:
            if is_lost(error):
                writes.committed()
            raise
        writes.committed()

    def rollback(self) -> None:
        writes.rolled_back()
        super().rollback()
