"""Prints the configurations as of a moment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from traders.controls import queries as controls
from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from traders.schema import jsonio
from traders.versions import services as configs
from traders.versions.rules.in_force import version_in_force


class Command(RefusingCommand):
    help = "Print the configurations as they stood at a moment: one JSON object per trader and line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("time", type=past_moment, help="such as 2026-11-01T12:00Z; without a zone it is UTC")
        parser.add_argument("--trader", action="append", default=[], metavar="ID", help="only this trader; repeatable")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            found = configs.at(options["time"], options["trader"])
        if not found:
            self.stderr.write("There was no configuration at that moment.")
        pinned = controls.pinned_then(found, options["time"])
        for name, stored in found.items():
            facts = {
                "version": stored.version,
                "pinned_version": pinned.get(name),
                "version_in_force": version_in_force(newest=stored.version, pinned=pinned.get(name)),
                "changed_at": stored.changed_at.isoformat(),
            }
            self.stdout.write(jsonio.dumps(facts | stored.spec.model_dump()))
