"""Replaces wrong values of a row of the record by right ones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, refusals
from traders.schema.actors import os_actor
from trading.record.corrections import services as corrections
from trading.record.corrections.forms import assignment
from trading.schema.exclusion import KIND_OF_TABLE, RecordKind, named_key


class Command(RefusingCommand):
    help = "Correct a row of the record by a new one that names it; the wrong one is set aside with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "kind", choices=[*RecordKind, *KIND_OF_TABLE], metavar="KIND", help=f"{', '.join(RecordKind)}; or the table"
        )
        add_correction(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        kind = KIND_OF_TABLE.get(options["kind"]) or RecordKind(options["kind"])
        changes = dict(map(_change, options["set"]))
        with refusals():
            made = corrections.correct(
                named_key(kind, options["id"]),
                changes,
                reason=options["reason"],
                actor=options["actor"] or os_actor(),
            )
        self.stdout.write(f"{options['id']} is set aside; {made.id} counts in its place")


def add_correction(parser: CommandParser) -> None:
    parser.add_argument(
        "id",
        metavar="ID",
        help="of the wrong row, or of its last correction; of a decision also TRADER|NUMBER, of an equity point "
        "TRADER|MILLISECONDS",
    )
    parser.add_argument(
        "--set",
        action="append",
        required=True,
        metavar="PATH=VALUE",
        help="right value, such as pnl.net=-12.5, fills[0].price=64000.5 or side=short; null removes a leaf",
    )
    parser.add_argument("--reason", required=True, help="why")
    parser.add_argument("--actor", default="", help="the actor; by default cli: and the account's name")


def _change(text: str) -> tuple[str, Any]:
    path, value = assignment(text)
    if not path:
        raise CommandError(f"--set must be PATH=VALUE, was {text!r}")
    return path, value
