"""Measure every line of the acceptance lists on this system. It reads only."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from nof0site.acceptance import services
from nof0site.acceptance.lines import LINES, TITLES
from nof0site.acceptance.rules import AcceptanceLine, LineResult, UnknownLine, chosen, counted
from traders.management.refusal import RefusingCommand, refusals
from traders.management.table import table
from traders.schema import jsonio

FAILED = 1
LONGEST_SECONDS = 3600


class Command(RefusingCommand):
    help = "Measure every line of the acceptance lists on this system; exit 1 if one fails. It reads only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", action="append", default=[], metavar="P3", help="only this phase or line; may be given again"
        )
        parser.add_argument("--json", action="store_true", help="as one JSON object")
        parser.add_argument(
            "--limit",
            type=_seconds,
            default=services.LIMIT_SECONDS,
            metavar="SECONDS",
            help="how long a statement of a line may take; default %(default)s",
        )

    def handle(self, *args: Any, only: list[str], json: bool, limit: float, **options: Any) -> None:
        try:
            lines = chosen(LINES, only)
        except UnknownLine as error:
            raise CommandError(str(error)) from error
        with refusals():
            results = self._measured(lines, limit, is_json=json)
        if json:
            self.stdout.write(jsonio.dumps(as_json(results)))
        else:
            self._sum_up(results)
        if any(result.is_fail for result in results):
            sys.exit(FAILED)

    def _measured(self, lines: Sequence[AcceptanceLine], limit: float, *, is_json: bool) -> list[LineResult]:
        """Says each line as soon as it is measured."""
        results: list[LineResult] = []
        phase = ""
        for result in services.measured(lines, limit_seconds=limit):
            results.append(result)
            if is_json:
                continue
            if result.line.phase != phase:
                phase = result.line.phase
                self.stdout.write(f"\n{TITLES[phase]}")
            for text in _text(result):
                self.stdout.write(text)
        return results

    def _sum_up(self, results: Sequence[LineResult]) -> None:
        seconds = sum(result.seconds for result in results)
        rows = [
            ("verdict", "lines"),
            *((str(verdict), str(count)) for verdict, count in counted(results).items() if count),
        ]
        self.stdout.write("")
        for text in table(rows):
            self.stdout.write(text)
        self.stdout.write(f"{len(results)} lines in {seconds:.1f} s. Nothing was written.")


def as_json(results: Sequence[LineResult]) -> dict[str, Any]:
    return {
        "passed": not any(result.is_fail for result in results),
        "verdicts": {str(verdict): count for verdict, count in counted(results).items()},
        "lines": [
            {
                "id": result.line.id,
                "phase": result.line.phase,
                "claim": str(result.line.claim),
                "target": str(result.line.target),
                "figure": str(result.measured.figure),
                "verdict": str(result.measured.verdict),
                "why": _or_none(result.measured.why),
                "then": _or_none(result.measured.then),
                "proofs": [proof.name for proof in result.line.proofs],
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
    }


def _or_none(text: str | None) -> str | None:
    return None if text is None else str(text)


def _text(result: LineResult) -> list[str]:
    line, found = result.line, result.measured
    texts = [f"  {line.id:<5} {found.verdict.upper():<16} {line.claim} [{line.target}]", f"        {found.figure}"]
    texts += [f"        why: {found.why}"] if found.why else []
    return texts + ([f"        do:  {found.then}"] if found.then else [])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ArgumentTypeError(f"must be a number of seconds above 0, at most {LONGEST_SECONDS}, was {text!r}")
    return seconds
