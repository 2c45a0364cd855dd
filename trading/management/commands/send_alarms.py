"""Watch the site and send its alarms."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from traders.management.refusal import RefusingCommand, refusals
from trading.alarms.watching.services import AlarmLoop, AlarmWatch
from trading.export.status.board import Board
from trading.management.with_parent import stop_when_told

DEFAULT_SECONDS = 60


class Command(RefusingCommand):
    help = "Look at what alarms watch and send what is in the outbox, until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="look once, send what is due, then end")
        parser.add_argument(
            "--with-parent", type=int, metavar="PID", help="end when this process, which started it, ends"
        )
        parser.add_argument("--board", type=int, metavar="FD", help="open file in which that process keeps its board")

    def handle(self, *args: Any, once: bool, with_parent: int | None, board: int | None, **options: Any) -> None:
        watch = AlarmWatch(settings.EXPORT_DIR, Board(board) if board is not None else None)
        loop = AlarmLoop(watch, settings.EXPORT_DIR, settings.ALARM_SECONDS or DEFAULT_SECONDS)
        if once:
            with refusals():
                loop.once()
            return
        stop_when_told(loop.stop, with_parent)
        loop.run()
