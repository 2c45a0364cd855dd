"""Run traders from their stored configurations, on paper."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from traders.database.migrated import require_migrated
from traders.management.refusal import RefusingCommand, refusals
from traders.versions import queries as configs
from trading.management.with_parent import stop_when_told
from trading.manager.rules.share import FleetShare
from trading.manager.running.making import configured
from trading.manager.running.runner import Runner, TurnsFailed
from trading.manager.running.starting import sync_file


class Command(RefusingCommand):
    help = "Run traders from their stored configurations: ask their models, and trade on paper."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--traders", nargs="+", default=[], metavar="ID", help="these traders (default: all)")
        which.add_argument("--share", metavar="I/N", help="the i-th of n parts of all traders, each run by a manager")
        parser.add_argument("--once", action="store_true", help="one turn of each trader, then end")
        parser.add_argument(
            "--alive", type=Path, metavar="FILE", help="touch this file each second while the database answers"
        )
        parser.add_argument("--no-sync", action="store_true", help="do not sync manager.yaml at the start")
        parser.add_argument(
            "--with-parent", type=int, metavar="PID", help="end when this process, which started it, ends"
        )
        parser.add_argument("--board", type=int, metavar="FD", help="open file in which that process keeps its board")

    def handle(
        self,
        *args: Any,
        traders: list[str],
        share: str | None,
        once: bool,
        alive: Path | None,
        no_sync: bool,
        with_parent: int | None,
        **options: Any,
    ) -> None:
        with refusals():
            workshop = configured()
            require_migrated()
            if not no_sync:
                sync_file(settings.MANAGER_YAML, self._say)
            runner = Runner(_share(traders, share), workshop, self._say, _touch(alive))
        if once:
            self._once(runner)
            return
        stop_when_told(runner.stop, with_parent)
        runner.run()

    def _once(self, runner: Runner) -> None:
        try:
            turns = runner.once()
        except TurnsFailed as error:
            raise CommandError(str(error)) from error
        if not turns:
            raise CommandError("Nothing was run: no trader is there, or another manager runs them.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _touch(alive: Path | None) -> Callable[[], None]:
    """Raises CommandError for a file that cannot be written; a disk that is full later stops no trading."""
    if alive is None:
        return lambda: None
    try:
        alive.touch()
    except OSError as error:
        raise CommandError(f"--alive {alive} cannot be written: {error.strerror}.") from None

    def touch() -> None:
        with suppress(OSError):
            alive.touch()

    return touch


def _share(traders: list[str], share: str | None) -> FleetShare:
    if unknown := sorted(set(traders) - configs.existing_ids(traders)):
        raise CommandError(f"There is no trader {', '.join(unknown)}.")
    if share is None:
        return FleetShare(tuple(traders))
    try:
        return FleetShare.read(share)
    except ValueError as error:
        raise CommandError(f"--share {error}.") from None
