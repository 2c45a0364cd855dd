"""Stops the fleet, and releases it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from traders.controls import services
from traders.management.controls_text import add_ways, as_json, lines
from traders.management.refusal import RefusingCommand, given_actor, refusals, refusals_as_json
from traders.schema import jsonio
from traders.schema.controls.rows import ControlKind


class Command(RefusingCommand):
    help = "Stop the fleet: no trader opens anything, exits go on. Release it: traders go on as their own controls say."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        stop = verbs.add_parser("stop", help="ban entries of all traders")
        stop.add_argument("--close-all", action="store_true", help="and close every open position")
        release = verbs.add_parser("release", help="end the stop; no trader's own stop or pause is lifted")
        for one in (stop, release):
            add_ways(one)
        verbs.add_parser(
            "restored", help="after a backup was restored: stop the fleet, and let engines read everything again"
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with refusals_as_json(self.stdout if options.get("json") else None), refusals():
            if verb == "restored":
                written = services.restored()
            else:
                written = services.fleet_control(
                    ControlKind(verb),
                    reason=options["reason"],
                    actor=given_actor(options["actor"]),
                    close_all=bool(options.get("close_all")),
                )
        if options.get("json"):
            self.stdout.write(jsonio.dumps(as_json(written, {})))
            return
        if not written:
            self.stdout.write("The fleet is not stopped.")
        for line in lines(written, {}):
            self.stdout.write(line)
