"""Read every row of the trading record, and name each that readers leave out or that contradicts the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from traders.schema import jsonio
from traders.tokens import services as tokens
from trading.management.counted import counted
from trading.management.progress import Progress
from trading.record.check import services
from trading.record.check.services import TABLES, Finding, FindingKind, check, validate_constraints
from trading.record.stored.stored_rows import estimated
from trading.record.writing import equity

FOUND = 1
WORDS = {
    FindingKind.UNREADABLE: "cannot be read and are left out everywhere",
    FindingKind.UNKNOWN: "leaves are not known to this release; their rows are read without them",
    FindingKind.RULE: "rows contradict others, or a constraint",
}


class Command(BaseCommand):
    help = "Read every row of the trading record and name each that cannot be read; exit 1 if there is any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, written while the rows are read")
        parser.add_argument(
            "--validate",
            action="store_true",
            help="then have PostgreSQL validate the younger constraints that every row keeps",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="first derive realized and unrealized P&L of equity whose program left them out",
        )
        parser.add_argument(
            "--table", action="append", choices=TABLES, metavar="TABLE", help=f"only this one of {', '.join(TABLES)}"
        )

    def handle(
        self, *args: Any, json: bool, table: list[str] | None, validate: bool, repair: bool, **options: Any
    ) -> None:
        repaired = equity.fill_all() if repair else None
        tables = tuple(dict.fromkeys(table or TABLES))
        total = sum(rows for name, rows in estimated().items() if name in tables)
        read: Counter[str] = Counter(dict.fromkeys(tables, 0))
        found: Counter[FindingKind] = Counter()
        if json:
            self.stdout.write('{"findings": [', ending="")
        with Progress(total) as progress:
            for looked in check(tables):
                read[looked.table] += looked.rows
                progress.add(looked.rows)
                for finding in looked.findings:
                    self._name(finding, is_json=json, is_first=not found)
                    found[finding.kind] += 1
        if json:
            counts: dict[str, Any] = {
                "rows": dict(read),
                "found": {str(kind): found[kind] for kind in FindingKind},
                "clocks": [
                    {
                        "token": name,
                        "refused": clock.refused,
                        "ahead_ms": clock.ahead_ms,
                        "last_at": clock.last_at.isoformat(),
                    }
                    for name, clock in tokens.clocks_lately()
                ],
            }
            counts |= {"repairable": services.repairable()} if repaired is None else {"repaired": repaired}
            self.stdout.write(f"\n], {jsonio.dumps(counts)[1:]}" if found else f"], {jsonio.dumps(counts)[1:]}")
        else:
            self._sum_up(read, found)
            self._say_of_repairs(repaired)
        broken = validate_constraints() if validate else []
        for line in broken:
            self.stderr.write(line)
        if found or broken:
            raise SystemExit(FOUND)

    def _name(self, finding: Finding, *, is_json: bool, is_first: bool) -> None:
        if not is_json:
            self.stdout.write(str(finding))
            return
        named = {name: str(getattr(finding, name)) for name in ("kind", "table", "id", "path", "reason")}
        self.stdout.write(f"{'' if is_first else ','}\n{jsonio.dumps(named)}", ending="")

    def _say_of_repairs(self, repaired: int | None) -> None:
        if repaired is not None:
            self.stdout.write(f"Derived realized and unrealized P&L of {repaired:,} points of equity.")
        elif lacking := services.repairable():
            self.stdout.write(
                f"{lacking:,} points of equity lack realized P&L that the record tells: run with --repair."
            )

    def _sum_up(self, read: Counter[str], found: Counter[FindingKind]) -> None:
        self.stdout.write(f"Read {counted(read)}.")
        for kind in FindingKind:
            if found[kind]:
                self.stdout.write(f"{found[kind]:,} {WORDS[kind]}.")
        if not found:
            self.stdout.write("Every row can be read, and no rule is violated.")
        for name, clock in tokens.clocks_lately():
            self.stdout.write(
                f"Token {name}: {clock}; {clock.refused:,} of its records refused, the last one at"
                f" {clock.last_at:%Y-%m-%d %H:%M:%S}Z. What they said is not in the record."
            )
