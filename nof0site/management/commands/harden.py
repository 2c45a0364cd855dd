"""Takes from the application's role what no code of it may do: changing and deleting what was recorded."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from nof0site.hardening.rules import NotHardenable
from nof0site.hardening.services import harden, statements
from traders.management.refusal import RefusingCommand, refusals
from traders.schema import jsonio


class Command(RefusingCommand):
    help = (
        "Give the application's role what it needs, and take from it the UPDATE, DELETE and TRUNCATE of append-only"
        " tables. Without --yes it prints the statements, and runs none."
    )
    epilog = "Run it as the owner of the tables, and again after each migrate. exit codes: 0 done, or shown; 1 refused"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument("--role", required=True, help="the role in the application's DATABASE_URL")
        parser.add_argument("--yes", action="store_true", help="run the statements")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with refusals():
                done = harden(options["role"]) if options["yes"] else statements(options["role"])
        except NotHardenable as error:
            raise CommandError(f"{error}.") from error
        if options["json"]:
            told = {"exit_code": 0, "is_written": options["yes"], "statements": done}
            self.stdout.write(jsonio.dumps(told))
            return
        for statement in done:
            self.stdout.write(f"{statement};")
        last = "Done: what is left was looked at." if options["yes"] else "Nothing was run. Add --yes."
        self.stdout.write(last)
