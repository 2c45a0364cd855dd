"""Runs PostgreSQL's own programs from the embedded server's wheel on the site's database."""

from __future__ import annotations

import argparse
import os
import subprocess
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from nof0site.backup.archive import BadArchive
from nof0site.backup.programs import environment
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
        try:
            variables = environment()
        except BadArchive as error:
            raise CommandError(f"{error}.") from error
        done = subprocess.run([folder / program, *arguments], env=variables)
        if done.returncode != 0:
            raise SystemExit(done.returncode)
        if program == "pg_restore" and _is_given_a_database(arguments):
            self._after_restoring()

    def _after_restoring(self) -> None:
        """Engines may have traded on since the backup."""
        connection.close()
        if "trader_controls" not in connection.introspection.table_names():
            self.stderr.write(
                "The backup is of an older release: run manage.py migrate, then manage.py fleet restored."
            )
            return
        call_command("fleet", "restored", stdout=self.stdout)


def _is_given_a_database(arguments: list[str]) -> bool:
    """Not so where pg_restore lists an archive or writes a script."""
    return any(argument.startswith(("-d", "--dbname")) for argument in arguments)
