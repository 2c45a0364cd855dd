"""Starts, stops, pauses, closes and pins traders."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from traders.controls import services
from traders.controls.services import Asked
from traders.controls.wanted import wanted_of
from traders.management.controls_text import add_ways, as_json, end, lines
from traders.management.refusal import RefusingCommand, given_actor, refusals, refusals_as_json
from traders.schema import jsonio
from traders.schema.controls.rows import GUARD_PREFIX, OPERATOR, ControlKind

# {verb: (kind, what it does)}
VERBS = {
    "start": (ControlKind.START, "let it run; it lifts no pause, no fleet stop and no retirement"),
    "stop": (ControlKind.STOP, "no decisions any more; orders at the exchange stay"),
    "drain": (ControlKind.DRAIN, "open nothing, and stop once everything is closed"),
    "pause": (ControlKind.PAUSE, "open nothing until it is resumed, or until an end"),
    "resume": (ControlKind.RESUME, "end the pauses of people, or those of a guard"),
    "close": (ControlKind.CLOSE, "close what is open now, in one symbol or all"),
    "pin": (ControlKind.PIN, "hold it at a version"),
    "unpin": (ControlKind.UNPIN, "run the newest version again"),
    "cooldown": (ControlKind.COOLDOWN, "no entry in a symbol until an end"),
    "clear": (ControlKind.CLEAR_COOLDOWN, "end the cooldown of a symbol, or all"),
}


class Command(RefusingCommand):
    help = "Ask for a control of traders, of all that are named or of none."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, (_kind, words) in VERBS.items():
            one = verbs.add_parser(verb, help=words)
            one.add_argument("trader_ids", nargs="+", metavar="ID")
            add_ways(one)
            if verb in ("pause", "cooldown"):
                one.add_argument(
                    *("--until", "--for"), type=end, required=verb == "cooldown", help="2026-11-01T12:00Z, or 30m"
                )
            if verb in ("close", "cooldown", "clear"):
                one.add_argument("--symbol", required=verb == "cooldown", help="without it: all")
            if verb == "close":
                one.add_argument("--keep-trading", action="store_true", help="do not pause after all is closed")
            if verb == "resume":
                one.add_argument("--guard", metavar="NAME", help="end the pauses of this guard instead of people's")
            if verb == "pin":
                one.add_argument("--to", type=int, required=True, metavar="VERSION")

    def handle(self, *args: Any, verb: str, trader_ids: list[str], **options: Any) -> None:
        guard = options.get("guard")
        with refusals_as_json(self.stdout if options.get("json") else None), refusals():
            asked = Asked(
                reason=options["reason"],
                actor=given_actor(options["actor"]),
                until=options.get("until"),
                version=options.get("to"),
                symbol=options.get("symbol"),
                cause=f"{GUARD_PREFIX}{guard}" if guard else OPERATOR,
                keep_trading=bool(options.get("keep_trading")),
            )
            written = services.control(VERBS[verb][0], trader_ids, asked)
            states = wanted_of(trader_ids)
        if options["json"]:
            self.stdout.write(jsonio.dumps(as_json(written, states)))
            return
        if not written:
            self.stdout.write("There was nothing to end.")
        for line in lines(written, states):
            self.stdout.write(line)
