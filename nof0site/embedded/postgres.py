"""Start and stop the embedded PostgreSQL. Every method that changes something is called under the start lock."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from nof0site.embedded import cluster
from nof0site.embedded.binaries import postgres_programs, reachable
from nof0site.embedded.errors import EmbeddedServerError
from nof0site.embedded.paths import DataPaths
from nof0site.embedded.privileges import ServerUser, make_private, server_user

DATABASE = "nof0"
ACCEPTING, REJECTING = 0, 1
PATIENCE_SECONDS = 60
# Children of a postmaster that was just killed hold its shared memory for a moment.
STILL_IN_USE = ("still in use", "is another postmaster")
RETRY_SECONDS = 10


class Postgres:
    def __init__(self, paths: DataPaths, settings: Mapping[str, str]) -> None:
        self._paths = paths
        self._settings = settings

    def start(self) -> None:
        """Return when it accepts connections.

        Raises EmbeddedServerError with the end of its log when it does not.
        """
        if not self._wait_while_busy():
            self._prepare()
            self._launch()
        self._create_database()

    def stop(self) -> None:
        """Stop as soon as running transactions are rolled back. Does nothing if no server runs."""
        if (self._paths.cluster / "postmaster.pid").exists():
            self._run(
                "pg_ctl",
                "-D",
                self._paths.cluster.name,
                "-m",
                "fast",
                "-w",
                "-t",
                str(PATIENCE_SECONDS),
                "stop",
            )

    def _wait_while_busy(self) -> bool:
        """Whether a server accepts connections; waits for one that is recovering or stopping."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._answer()) == REJECTING:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL has not become ready in {PATIENCE_SECONDS} s.{self._log_end()}")
            time.sleep(0.05)
        return answer == ACCEPTING

    def _answer(self) -> int:
        if not self._paths.postgres_socket.exists():
            return 2
        program = postgres_programs() / "pg_isready"
        command: list[str | Path] = [program, "-q", "-h", str(self._paths.sockets), "-d", "postgres"]
        return subprocess.run(command, env=self._environment, capture_output=True).returncode

    def _prepare(self) -> None:
        base = self._paths.root
        base.chmod(0o700 if self._user.is_us else 0o755)
        if not self._user.can_enter(base):
            raise EmbeddedServerError(
                f"PostgreSQL does not run as root, and the user it runs as cannot enter {base}. "
                "Set NOF0_DATA_DIR to a directory outside of private homes, such as /var/lib/nof0."
            )
        make_private(self._paths.sockets, self._user)
        if (self._paths.cluster / "PG_VERSION").exists():
            cluster.refuse_other_major(self._paths.cluster, self._programs / "postgres")
        else:
            cluster.create(self._paths.cluster, self._programs / "initdb", self._user, self._environment)
        for pid_file in (self._paths.cluster / "postmaster.pid", Path(f"{self._paths.postgres_socket}.lock")):
            cluster.remove_foreign_pid_file(self._paths.cluster, pid_file)

    def _launch(self) -> None:
        options = {"unix_socket_directories": str(self._paths.sockets), **self._settings}
        # pg_ctl hands this to a shell. The cluster is named relative to the working directory for the same reason.
        arguments = " ".join(shlex.quote(part) for key, value in options.items() for part in ("-c", f"{key}={value}"))
        name = self._paths.cluster.name
        command = ["pg_ctl", "-D", name, "-w", "-t", str(PATIENCE_SECONDS), "-s", "-l", f"{name}/server.log"]
        deadline = time.monotonic() + RETRY_SECONDS
        while self._run(*command, "-o", arguments, "start") != 0:
            log = self._log_end()
            if time.monotonic() > deadline or not any(phrase in log for phrase in STILL_IN_USE):
                raise EmbeddedServerError(f"The embedded PostgreSQL in {self._paths.cluster} did not start.{log}")
            time.sleep(0.25)

    def _create_database(self) -> None:
        with psycopg.connect(
            host=str(self._paths.sockets),
            user="postgres",
            dbname="postgres",
            autocommit=True,
            connect_timeout=PATIENCE_SECONDS,
        ) as link:
            if link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                link.execute(f"CREATE DATABASE {DATABASE}")

    def _run(self, program: str, *arguments: str) -> int:
        """Run a server program to its end, even if this process is asked to stop: no other would stop the server."""
        process = subprocess.Popen(
            [self._programs / program, *arguments],
            cwd=self._paths.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._user.process_options,
        )
        try:
            return process.wait()
        finally:
            process.wait()

    def _log_end(self) -> str:
        try:
            text = (self._paths.cluster / "server.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return f" The end of its log:\n{text[-1500:].strip()}"

    @cached_property
    def _user(self) -> ServerUser:
        return server_user(self._paths.cluster)

    @cached_property
    def _programs(self) -> Path:
        return reachable(postgres_programs() / "postgres", self._user, self._paths.root).parent

    @property
    def _environment(self) -> dict[str, Any]:
        """This process's environment without PG* variables, which would redirect every PostgreSQL program."""
        return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}
