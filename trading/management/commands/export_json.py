"""Write the JSON documents that the read API serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from msgspec import structs

from trading.export.directory.manifest import Manifest
from trading.export.parts.options import Options
from trading.export.services import ExportLoop, NotTheExporter, export_once
from trading.export.status.board import Board
from trading.export.status.file import ExportStatus
from trading.management.with_parent import stop_when_told

STALE_DOCUMENTS = 3
DEFAULT_SECONDS = 60


class Command(BaseCommand):
    help = "Write the JSON documents of the read API, once or at every beat."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="one run, then end")
        how.add_argument("--every", type=float, metavar="SECONDS", help="a run at every beat (default EXPORT_SECONDS)")
        parser.add_argument("--dir", type=Path, help="where to write (default EXPORT_DIR)")
        parser.add_argument(
            "--with-parent", type=int, metavar="PID", help="end when this process, which started it, ends; say little"
        )
        parser.add_argument("--board", type=int, metavar="FD", help="open file in which that process reads how it goes")

    def handle(
        self,
        *args: Any,
        once: bool,
        every: float | None,
        dir: Path | None,
        with_parent: int | None,
        board: int | None,
        **options: Any,
    ) -> None:
        if every is not None and every <= 0:
            raise CommandError("--every must be more than 0 seconds.")
        chosen = Options.configured(dir.absolute() if dir else None)
        if once:
            self._once(chosen)
        else:
            self._beats(chosen, every or settings.EXPORT_SECONDS or DEFAULT_SECONDS, with_parent, board)

    def _once(self, options: Options) -> None:
        try:
            manifest = export_once(options)
        except NotTheExporter:
            raise CommandError("Another exporter is at work; it writes the next run by itself.") from None
        except (OSError, Error) as error:
            raise CommandError(f"Nothing was exported, readers see the last run: {error}".strip()) from error
        self._report(manifest)
        if any(entry.is_stale for entry in manifest.files):
            raise SystemExit(STALE_DOCUMENTS)

    def _beats(self, options: Options, every: float, with_parent: int | None, board: int | None) -> None:
        # As `make run` starts it, the lines of every minute would bury those of the site.
        report = (lambda manifest: None) if with_parent else self._report
        tell = _teller(Board(board)) if board is not None else lambda status: None
        beats = ExportLoop(options, every, report=report, say=self._say, tell=tell)
        stop_when_told(beats.stop, with_parent)
        beats.run()

    def _report(self, manifest: Manifest) -> None:
        for entry in manifest.files:
            if entry.error:
                self.stderr.write(f"{entry.name}: {entry.error}")
        if manifest.set_aside:
            self.stderr.write(f"Set aside by operators and left out: {manifest.set_aside:,} rows.")
        if manifest.unreadable:
            self.stderr.write(f"{manifest.unreadable:,} rows cannot be read and are left out; check_record names them.")
        size = sum(entry.size for entry in manifest.files)
        self._say(f"{manifest.as_of}: {len(manifest.files)} documents, {size:,} bytes, in {manifest.duration_ms} ms.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _teller(board: Board) -> Callable[[ExportStatus], None]:
    """The lists by trader and key may be long, and are read from the status file."""
    return lambda status: board.status.write(
        structs.replace(status, config_versions={}, live_ages={}, unreadable_rows=[])
    )
