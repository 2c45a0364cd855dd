"""Writes the fleet, or part of it, as manager.yaml and prompt files that sync back without a change."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from traders.manager_yaml.bundle.writer import write_bundle
from traders.sync.export.services import bundle


class Command(RefusingCommand):
    help = "Write manager.yaml and its prompt files: all traders or some, as they stand or stood."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django's own --version gives way to ours.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dir", type=Path, required=True, help="where to write; made if it is not there")
        parser.add_argument(
            "--trader", action="extend", nargs="+", default=[], metavar="ID", help="these traders only; repeatable"
        )
        moment = parser.add_mutually_exclusive_group()
        moment.add_argument("--version", type=_version, metavar="N", help="version N of each --trader")
        moment.add_argument("--at", type=past_moment, metavar="TIME", help="as of a moment: 2026-03-01T12:00Z")
        moment.add_argument("--running", action="store_true", help="what runs: the pinned version of a pinned trader")
        parser.add_argument("--force", action="store_true", help="write over files that differ")

    def handle(self, *args: Any, **options: Any) -> None:
        given = argparse.Namespace(**options)
        if given.version is not None and not given.trader:
            raise CommandError("--version is a version of a trader: say which with --trader")
        with refusals():
            found = bundle(
                trader_ids=list(dict.fromkeys(given.trader)),
                version=given.version,
                at=given.at,
                is_running=given.running,
            )
            written = write_bundle(given.dir, found.fleet, found.traders, found.prompts, force=given.force)
        for path in written:
            self.stdout.write(str(path))
        count = len(found.traders)
        self.stdout.write(f"{count:,} {'trader' if count == 1 else 'traders'} in {len(written):,} files.")


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no version; versions are whole numbers from 1")
    return int(text)
