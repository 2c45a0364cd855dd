"""Restores a backup into an empty database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from nof0site.backup.archive import BadArchive
from nof0site.backup.services import restore
from traders.management.refusal import RefusingCommand, refusals


class Command(RefusingCommand):
    help = "Restore a file of `backup` into an empty database, prove it, and stop the fleet."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` made")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        with refusals():
            try:
                done = restore(file.absolute())
            except BadArchive as error:
                raise CommandError(f"{error}.") from error
        made = done.manifest
        self.stdout.write(
            f"Restored {done.rows:,} rows of {len(made.tables)} tables, each as it was on {made.made_at}"
            f" (release {made.release})."
        )
        if done.migrated:
            self.stdout.write(f"{done.migrated} migrations of this release were applied.")
        if done.was_spread:
            self.stdout.write(
                "The record was spread and is in one place now: run `manage.py distribute --shards N --yes` before the"
                " site starts (docs/scale.md)."
            )
        self.stdout.write(
            "The fleet is stopped: compare open positions with the exchange, then"
            " `manage.py fleet release --reason ...`."
        )
        self.stdout.write("Everybody logs in again. Look at accounts and tokens that were ended since the backup.")
        if done.findings:
            raise CommandError(
                f"{done.findings:,} rows of the record cannot be read or contradict others, as they did in the backup:"
                " run `manage.py check_record`."
            )
