"""Moves the PostgreSQL database of an earlier program in."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, add_actor, given_actor, refusals
from traders.schema import jsonio
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.imports.adopt.inspection import inspect
from trading.imports.adopt.move import MoveReport
from trading.imports.adopt.services import adopt
from trading.imports.adopt.verify import verify
from trading.management.adopt_text import (
    comparison_json,
    comparison_lines,
    inspection_json,
    inspection_lines,
    move_json,
    move_lines,
)
from trading.management.rejects import Rejects, exit_code

REJECTS = Path("adopt_rejects.jsonl")
VARIABLE = "ADOPT_DATABASE_URL"


class Command(RefusingCommand):
    help = "Take over trades, positions, decisions, conversations and equity from the earlier engine's database."
    epilog = (
        "The other database is only read. exit codes: 0 all was taken or known; 3 some rows were refused or in "
        "conflict, the others taken; 1 nothing was written, or --verify found a difference"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument(
            "--from",
            dest="dsn",
            default="",
            metavar="DSN",
            help=f"the earlier engine's database; better in {VARIABLE} or {VARIABLE}_FILE, which `ps` does not show",
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--inspect", action="store_true", help="say what is there and what follows; write nothing")
        what.add_argument("--dry-run", action="store_true", help="do everything, report it, and write nothing")
        what.add_argument(
            "--verify", action="store_true", help="compare both sides by trader and month; exit 1 on any difference"
        )
        parser.add_argument(
            "--only-versions", action="store_true", help="take the versions of traders alone, before their cycle files"
        )
        parser.add_argument(
            "--map", nargs="+", type=_pair, default=[], metavar="OLD=NEW", help="traders that have another id here"
        )
        parser.add_argument(
            "--add-symbols",
            nargs="+",
            type=_symbol,
            default=[],
            metavar="SYM",
            help="symbols that rows may name besides those that are known",
        )
        parser.add_argument(
            "--rejects",
            type=Path,
            default=REJECTS,
            metavar="FILE",
            help=f"where refused rows go, whole, one a line (default {REJECTS})",
        )
        parser.add_argument("--json", action="store_true", help="report as one line of JSON")
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        given = argparse.Namespace(**options)
        try:
            if given.only_versions and (given.inspect or given.verify):
                raise CommandError("--only-versions goes with a move and with --dry-run alone.")
            dsn = _dsn(given.dsn)
            if given.inspect:
                self._inspect(dsn, given)
            elif given.verify:
                self._verify(dsn, given)
            else:
                self._adopt(dsn, given)
        except CommandError as error:
            if given.json:
                self.stdout.write(jsonio.dumps({"exit_code": 1, "error": str(error)}))
            raise

    def _inspect(self, dsn: str, given: argparse.Namespace) -> None:
        with refusals():
            found = inspect(dsn, _ids(given.map))
        self.stdout.write(jsonio.dumps(inspection_json(found)) if given.json else "\n".join(inspection_lines(found)))

    def _verify(self, dsn: str, given: argparse.Namespace) -> None:
        with refusals():
            found = verify(dsn=dsn, ids=_ids(given.map), add_symbols=given.add_symbols)
        told = comparison_json(found)
        self.stdout.write(jsonio.dumps(told) if given.json else "\n".join(comparison_lines(found)))
        if told["exit_code"]:
            sys.exit(told["exit_code"])

    def _adopt(self, dsn: str, given: argparse.Namespace) -> None:
        rejects = Rejects(given.rejects)
        report = _adopted(dsn, given, rejects)
        code = exit_code(accepted=report.accepted + report.closed, refused=report.rejected)
        if given.json:
            self.stdout.write(jsonio.dumps({"exit_code": code, **move_json(report), **rejects.facts()}))
        else:
            self.stdout.write("\n".join([*rejects.lines(), *move_lines(report)]))
        if code:
            sys.exit(code)


def _adopted(dsn: str, given: argparse.Namespace, rejects: Rejects) -> MoveReport:
    actor = given_actor(given.actor)
    # What is loaded by now stays: looking through it again, every few thousand rows, took a fifth of the time.
    gc.freeze()
    with refusals(), rejects:
        return adopt(
            dsn=dsn,
            actor=actor,
            on_reject=rejects.add,
            ids=_ids(given.map),
            add_symbols=given.add_symbols,
            dry_run=given.dry_run,
            only_versions=given.only_versions,
        )


def _dsn(given: str) -> str:
    """Raises CommandError."""
    named: str = settings.ADOPT_DATABASE_URL
    if given and named:
        raise CommandError(f"Give --from or {VARIABLE}, and not both.")
    if not (given or named):
        raise CommandError(f"Name the earlier engine's database with --from DSN, or in {VARIABLE}.")
    return given or named


def _ids(pairs: list[tuple[str, str]]) -> Mapping[str, str]:
    """Raises CommandError for an id that is mapped twice, or two traders that would become one."""
    ids = dict(pairs)
    if len(ids) != len(pairs) or len(set(ids.values())) != len(ids):
        raise CommandError("--map: each OLD and each NEW may stand once.")
    return ids


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW")
    return old, new


def _symbol(text: str) -> str:
    if not is_symbol(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no symbol; one is {SYMBOL_RULE}")
    return text
