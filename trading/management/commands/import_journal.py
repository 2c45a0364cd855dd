"""Imports an engine's cycle files into the decision journal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, refusals
from traders.schema import jsonio
from trading.imports.journal_files.directory import find
from trading.imports.journal_service import READINGS, JournalImport, import_journal
from trading.management.import_text import secrets_line
from trading.management.progress import Progress
from trading.management.rejects import Rejects, exit_code

REJECTS = Path("journal_rejects.jsonl")


class Command(RefusingCommand):
    help = "Record the decisions of a directory of cycle_*.json files; what is recorded already changes nothing."
    epilog = "exit codes: 0 all recorded or known; 1 nothing was written; 3 recorded, but some files were refused"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument("directory", type=Path, help="where the engine writes (journal_dir)")
        parser.add_argument("--trader", action="append", default=[], metavar="ID", help="only this trader; repeatable")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
        parser.add_argument("--strict", action="store_true", help="write nothing if one file is refused")
        parser.add_argument("--rejects", type=Path, default=REJECTS, metavar="FILE", help=f"default {REJECTS}")
        parser.add_argument("--json", action="store_true", help="report as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals(), Rejects(options["rejects"]) as rejects:
            try:
                report = _imported(options, rejects)
            except CommandError as error:
                if options["json"]:
                    self.stdout.write(jsonio.dumps({"exit_code": 1, "error": str(error), **rejects.facts()}))
                raise
        accepted = report.inserted.total() + report.known + report.of_others
        code = exit_code(accepted=accepted, refused=report.refused)
        if options["json"]:
            self.stdout.write(jsonio.dumps({"exit_code": code, **_facts(report), **rejects.facts()}))
        else:
            self.stdout.write("\n".join([*rejects.lines(), *_lines(report)]))
        if code:
            sys.exit(code)


def _imported(options: Mapping[str, Any], rejects: Rejects) -> JournalImport:
    with refusals(), Progress(READINGS * len(find(options["directory"]))) as progress:
        return import_journal(
            options["directory"],
            on_reject=rejects.add,
            trader_ids=options["trader"],
            dry_run=options["dry_run"],
            strict=options["strict"],
            on_files=progress.add,
        )


def _lines(report: JournalImport) -> Iterator[str]:
    yield from (f"recorded   {trader_id}: {count:,}" for trader_id, count in sorted(report.inserted.items()))
    if report.before_v1:
        yield f"{report.before_v1:,} were decided before their trader's first version."
    if report.redacted:
        yield secrets_line(report.redacted)
    counts = {
        "recorded": report.inserted.total(),
        "known already": report.known,
        "refused": report.refused,
        "of other traders": report.of_others,
    }
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to record"
    yield f"{report.files:,} files: {said}.{' Dry run: nothing was written.' if report.dry_run else ''}"


def _facts(report: JournalImport) -> dict[str, Any]:
    return {
        "files": report.files,
        "inserted": report.inserted.total(),
        "inserted_by_trader": dict(sorted(report.inserted.items())),
        "known": report.known,
        "of_other_traders": report.of_others,
        "before_v1": report.before_v1,
        "redacted": report.redacted,
        "dry_run": report.dry_run,
    }
