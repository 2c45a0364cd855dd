"""Saves the site in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from nof0site.backup.archive import BadArchive
from nof0site.backup.services import back_up
from traders.management.refusal import RefusingCommand, refusals


class Command(RefusingCommand):
    help = "Save the database, the published documents and the settings without secrets in one file."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        with refusals():
            try:
                manifest = back_up(file.absolute())
            except BadArchive as error:
                raise CommandError(f"{error}. No file was made.") from error
        rows = sum(proof.rows for proof in manifest.tables.values())
        self.stdout.write(f"{file}: {rows:,} rows of {len(manifest.tables)} tables, {file.stat().st_size:,} bytes.")
        self.stdout.write("Save SECRET_KEY (or the file secret_key of the data directory) apart from it.")
