"""Databases of a test's own on the tests' server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections

from nof0site.embedded.binaries import postgres_programs
from nof0site.embedded.errors import ServerPackageMissingError

ALIAS = "scratch"
# A random key, versions of programs, and a counter with which some builds of PostgreSQL stamp every column.
_OF_THE_RUN = re.compile(r"\\(un)?restrict |-- Dumped |ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);$")
_VARIABLES = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGSSLMODE": "sslmode"}


@dataclass(frozen=True)
class ScratchDatabase:
    """An empty database that Django knows as `alias`."""

    alias: str
    name: str

    def migrate(self, *target: str) -> None:
        """`target`: an app and perhaps the migration to stop at ("zero": none)."""
        call_command("migrate", *target, database=self.alias, verbosity=0)
        connections[self.alias].close()

    def schema(self) -> str:
        """`pg_dump --schema-only`, without what differs from run to run."""
        parameters = connection.get_connection_params()
        variables = {name: str(parameters[key]) for name, key in _VARIABLES.items() if parameters.get(key)}
        done = subprocess.run(
            [_pg_dump(), "--schema-only", self.name],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return "\n".join(line for line in done.stdout.splitlines() if not _OF_THE_RUN.match(line))


@contextmanager
def scratch_database(alias: str = ALIAS, *, template: ScratchDatabase | None = None) -> Iterator[ScratchDatabase]:
    """Its name does not begin with test_, so that it is held to what a real database is held to.

    `template`: a database that it begins as a copy of.
    """
    database = ScratchDatabase(alias, f"{alias}_nof0_{os.getpid()}")
    copied = f' TEMPLATE "{template.name}"' if template else ""
    _run(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)', f'CREATE DATABASE "{database.name}"{copied}')
    connections.databases[alias] = {**connection.settings_dict, "NAME": database.name}
    try:
        yield database
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
        _run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


def _run(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _pg_dump() -> Path:
    """One that is at least as new as the server, from the wheel or from the system."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        [server] = cursor.fetchone()
    found = {program: _major_version(program) for program in _candidates()}
    for program, version in found.items():
        if version >= server:
            return program
    have = ", ".join(f"{program} is version {version}" for program, version in found.items()) or "there is none at all"
    pytest.skip(f"A dump of PostgreSQL {server} needs a pg_dump of version {server} or later: {have}.")


def _candidates() -> Iterator[Path]:
    with suppress(ServerPackageMissingError):
        yield postgres_programs() / "pg_dump"
    if found := shutil.which("pg_dump"):
        yield Path(found)


def _major_version(program: Path) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[2].partition(".")[0])
