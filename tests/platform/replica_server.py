"""A streaming replica of the tests' embedded PostgreSQL, by its own pg_basebackup."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections

from nof0site.databases import replica_database
from nof0site.embedded.binaries import postgres_programs, reachable
from nof0site.embedded.paths import DataPaths
from nof0site.embedded.privileges import make_private, server_user
from tests.platform.processes import wait_for
from traders.database import replica
from traders.database.reading import REPLICA


@dataclass
class ReplicaServer:
    """`pid` is the postmaster's."""

    sockets: Path
    cluster: Path

    @property
    def url(self) -> str:
        directory = str(self.sockets).replace("/", "%2F")
        return f"postgresql://postgres@{directory}/{connection.settings_dict['NAME']}"

    def ask(self, statement: str) -> Any:
        with psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True) as link:
            row = link.execute(statement.encode()).fetchone()
            return row[0] if row else None

    def pause(self) -> None:
        self.ask("SELECT pg_wal_replay_pause()")
        wait_for(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.ask("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Returns when it has replayed all that the primary has written, and forgets what was seen of it before."""
        with connection.cursor() as cursor:
            # Of a copy without one commit since, the age of what it shows is not known.
            cursor.execute("SELECT pg_current_xact_id()")
            cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
            (position,) = cursor.fetchone()
        wait_for(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"))
        replica.forget()

    def kill(self) -> None:
        pid = int((self.cluster / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not _answers(self.sockets))


@contextmanager
def streaming_replica() -> Iterator[ReplicaServer]:
    primary = DataPaths(settings.DATA_DIR)
    user = server_user(primary.cluster)
    programs = reachable(postgres_programs() / "postgres", user, primary.root).parent
    with tempfile.TemporaryDirectory(prefix="nof0-replica-") as directory:
        Path(directory).chmod(0o755)
        cluster, sockets = Path(directory) / "cluster", Path(directory) / "run"
        make_private(cluster, user)
        make_private(sockets, user)

        def run(program: str, *arguments: str | Path) -> None:
            options: dict[str, Any] = {"cwd": directory, "stdout": subprocess.DEVNULL, **user.process_options}
            subprocess.run([programs / program, *arguments], check=True, timeout=120, **options)

        run(
            "pg_basebackup",
            *("-h", primary.sockets, "-U", "postgres", "-D", cluster, "--write-recovery-conf", "--checkpoint=fast"),
        )
        options = f"-c unix_socket_directories={sockets} -c fsync=off"
        started = ("-D", cluster, "-w", "-s", "-l", cluster / "server.log")
        run("pg_ctl", *started, "-o", options, "start")
        try:
            yield ReplicaServer(sockets, cluster)
        finally:
            if _answers(sockets):
                run("pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")


@contextmanager
def site_with(server: ReplicaServer) -> Iterator[None]:
    """Gives this process's site the replica, in place of another one."""
    config = replica_database(server.url, through_pgbouncer=False, keep_seconds=0)
    with replica_at(connections.configure_settings({"default": {}, REPLICA: config})[REPLICA]):
        yield


@contextmanager
def replica_at(config: dict[str, Any]) -> Iterator[None]:
    before = connections.settings.get(REPLICA)
    _put(config)
    try:
        yield
    finally:
        _put(before)


def _put(config: dict[str, Any] | None) -> None:
    if REPLICA in connections.settings:
        connections[REPLICA].close()
        del connections[REPLICA], connections.settings[REPLICA]
    if config is not None:
        connections.settings[REPLICA] = config
        _allow(connections[REPLICA])
    replica.forget()


def _allow(made: Any) -> None:
    """Django lets a test reach the databases only that were there when it began."""

    def ensure_connection() -> None:
        if made.connection is None:
            with made.wrap_database_errors:
                made.connect()

    made.ensure_connection = ensure_connection


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
