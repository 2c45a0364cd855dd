"""Moves the demo's prices and reports for its sample traders; `make demo` runs it."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import CommandParser

from demo.feed import engine
from traders.management.refusal import RefusingCommand
from trading.management.with_parent import stop_when_told


class Command(RefusingCommand):
    help = "Move the demo's prices and report for its sample traders, until told to stop. Everything is simulated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-parent", type=int, metavar="PID", help="end when this process, which started it, ends"
        )
        parser.add_argument("--board", type=int, metavar="FD", help="open file in which that process keeps its board")

    def handle(self, *args: Any, with_parent: int | None, **options: Any) -> None:
        stop = threading.Event()
        stop_when_told(stop, with_parent)
        engine.run(stop)
