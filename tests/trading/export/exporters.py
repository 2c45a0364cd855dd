"""Exporters as processes of their own, on the database and the Redis of the tests."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

from tests.platform.forks import Forks
from tests.platform.processes import Machine, wait_for
from trading.export.queries.snapshot import EXPORT_LOCK

APPLICATION = "exporter under test"


@dataclass
class Exporters:
    machine: Machine
    _forks: Forks

    @classmethod
    def of_the_tests(cls, scratch: Path, **more: str) -> Exporters:
        machine = Machine(
            scratch / "data",
            {"DATABASE_URL": database_url(), "REDIS_URL": settings.CACHES["default"]["LOCATION"], **more}
            | {"PGAPPNAME": APPLICATION},
        )
        logs = scratch / "logs"
        logs.mkdir()
        return cls(machine, Forks(machine, logs, ("export_json",)))

    def start(self, *arguments: str) -> int:
        """The process id of a new `export_json` with these arguments."""
        return self._forks.start("export_json", *arguments).pid

    def clear(self) -> None:
        """All of them killed."""
        self.machine.clear()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid))


def end_sessions() -> int:
    """The database ends every session of the exporters; how many."""
    return _ended("")


def end_the_lock() -> int:
    """The database ends the session that holds the exporters' lock, and the exporter goes on reading; how many."""
    held = f"locktype = 'advisory' AND granted AND objid = {EXPORT_LOCK}"
    return _ended(f"AND pid IN (SELECT pid FROM pg_locks WHERE {held})")


def _ended(only: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s {only}",
            [APPLICATION],
        )
        return int(cursor.fetchall()[0][0])


def is_lock_free() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [EXPORT_LOCK],
        )
        return not cursor.fetchall()[0][0]


def database_url() -> str:
    given = connection.settings_dict
    who = quote(given["USER"], safe="") + (f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else "")
    return f"postgresql://{who}@{quote(given['HOST'], safe='')}:{given['PORT']}/{given['NAME']}"
