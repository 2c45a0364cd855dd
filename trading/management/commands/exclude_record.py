"""Sets rows of the record aside, or includes them again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from traders.management.refusal import RefusingCommand, refusals
from traders.schema import jsonio
from traders.schema.actors import os_actor
from trading.management.exclusion_text import change_json, change_lines
from trading.record.exclusions import services as exclusions
from trading.schema.exclusion import KIND_OF_TABLE, RecordKind, named_key


class Command(RefusingCommand):
    help = (
        "Set rows of the record aside, with a reason: they stay stored and count nowhere. --undo lets them count again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "kind", choices=[*RecordKind, *KIND_OF_TABLE], metavar="KIND", help=f"{', '.join(RecordKind)}; or the table"
        )
        parser.add_argument(
            "ids",
            nargs="+",
            metavar="ID",
            help="as the record shows it; of an equity point TRADER|MILLISECONDS; of a decision also TRADER|NUMBER",
        )
        parser.add_argument("--reason", default="", help="why; required unless --dry-run")
        parser.add_argument("--actor", default="", help="the actor; by default cli: and the account's name")
        parser.add_argument("--undo", action="store_true", help="include the rows again")
        parser.add_argument(
            "--dry-run", action="store_true", help="show what it would do to the figures, write nothing"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = KIND_OF_TABLE.get(options["kind"]) or RecordKind(options["kind"])
        keys = [named_key(kind, name) for name in options["ids"]]
        actor = options["actor"] or os_actor()
        with refusals():
            if options["dry_run"]:
                change = exclusions.preview(keys, undo=options["undo"])
            else:
                change = exclusions.set_aside(keys, reason=options["reason"], actor=actor, undo=options["undo"])
        lines = [jsonio.dumps(change_json(change))] if options["json"] else change_lines(change)
        for line in lines:
            self.stdout.write(line)
