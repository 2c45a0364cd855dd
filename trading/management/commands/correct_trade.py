"""Replaces wrong figures of a trade by right ones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, refusals
from traders.schema import jsonio
from traders.schema.actors import os_actor
from trading.record.corrections import services as corrections


class Command(RefusingCommand):
    help = "Correct a trade by a new row that names it; the wrong one is set aside with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", metavar="ID", help="of the wrong trade, or of its last correction")
        parser.add_argument(
            "--set",
            action="append",
            required=True,
            metavar="PATH=VALUE",
            help="right value, such as pnl.net=-12.5 or side=short; null takes a leaf away",
        )
        parser.add_argument("--reason", required=True, help="why")
        parser.add_argument("--actor", default="", help="who; by default cli: and the account's name")

    def handle(self, *args: Any, **options: Any) -> None:
        changes = dict(map(_change, options["set"]))
        with refusals():
            made = corrections.correct_trade(
                options["id"], changes, reason=options["reason"], actor=options["actor"] or os_actor()
            )
        self.stdout.write(f"{options['id']} is set aside; {made.id} counts in its place")


def _change(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not (path and equals):
        raise CommandError(f"--set must be PATH=VALUE, was {text!r}")
    try:
        return path, jsonio.loads(value)
    except ValueError:
        return path, value
