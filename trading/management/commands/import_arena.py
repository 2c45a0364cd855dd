"""Imports an arena's published files into the trading record."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, add_actor, given_actor, refusals
from traders.schema import jsonio
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.imports.arena.files import find
from trading.imports.arena_service import import_arena
from trading.imports.report import ImportReport
from trading.management.import_text import report_json, report_lines
from trading.management.progress import Progress
from trading.management.rejects import Rejects, exit_code

REJECTS = Path("arena_rejects.jsonl")


class Command(RefusingCommand):
    help = "Import trades, positions, conversations and equity that an arena published, each record once."
    requires_system_checks: list[str] = []
    epilog = (
        "exit codes: 0 all was taken or known; 3 some records were refused or in conflict, the others taken; "
        "1 nothing was written"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument("path", type=Path, help="a directory with the arena's files, or one of them")
        parser.add_argument("--dry-run", action="store_true", help="do everything, report it, and write nothing")
        parser.add_argument("--strict", action="store_true", help="write nothing if any record is refused")
        parser.add_argument(
            "--rejects",
            type=Path,
            default=REJECTS,
            metavar="FILE",
            help=f"where refused records go, one a line; made only if there are some (default {REJECTS})",
        )
        parser.add_argument(
            "--add-symbols",
            nargs="+",
            type=_symbol,
            default=[],
            metavar="SYM",
            help="symbols that the files may name besides those that are known",
        )
        parser.add_argument("--json", action="store_true", help="report as one line of JSON")
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        given = argparse.Namespace(**options)
        rejects = Rejects(given.rejects)
        try:
            report = _imported(given, rejects)
        except CommandError as error:
            if given.json:
                self.stdout.write(jsonio.dumps({"exit_code": 1, "error": str(error), **rejects.facts()}))
            raise
        code = exit_code(accepted=report.accepted, refused=report.rejected)
        if given.json:
            self.stdout.write(jsonio.dumps({"exit_code": code, **report_json(report), **rejects.facts()}))
        else:
            self.stdout.write("\n".join([*rejects.lines(), *report_lines(report)]))
        if code:
            sys.exit(code)


def _imported(given: argparse.Namespace, rejects: Rejects) -> ImportReport:
    actor = given_actor(given.actor)
    with refusals(), rejects, Progress(find(given.path).bytes) as progress:
        return import_arena(
            path=given.path,
            actor=actor,
            on_reject=rejects.add,
            add_symbols=given.add_symbols,
            dry_run=given.dry_run,
            strict=given.strict,
            on_bytes=progress.add,
        )


def _symbol(text: str) -> str:
    if not is_symbol(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no symbol; one is {SYMBOL_RULE}")
    return text
