"""Shows how the points of equity are divided by month; divides them, and takes old months out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from trading.record.months import services
from trading.record.months.rules import CannotDivide, Month


class Command(BaseCommand):
    help = "Show how equity_snapshots is divided by month; divide it, and take old months out."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--divide", action="store_true", help="divide the table from next month on; its rows are not copied"
        )
        what.add_argument(
            "--ahead", action="store_true", help="make the months ahead that are missing, as the exporter does"
        )
        what.add_argument(
            "--take-out",
            type=int,
            metavar="N",
            help="make parts of the newest N months of what was there before, each in one transaction",
        )
        what.add_argument(
            "--detach",
            metavar="YYYY-MM",
            help="make tables of their own of this month and all that is older; without --yes only say which",
        )
        parser.add_argument("--yes", action="store_true", help="detach")

    def handle(
        self, *args: Any, divide: bool, ahead: bool, take_out: int | None, detach: str | None, yes: bool, **options: Any
    ) -> None:
        now = timezone.now()
        try:
            if divide:
                services.divide(now)
            elif ahead:
                services.make_ahead(now)
            elif take_out is not None:
                taken = services.take_out(take_out)
                self.stdout.write(f"Taken out: {', '.join(map(str, taken)) or 'nothing, no row is left before'}.")
            elif detach is not None:
                self._detach(Month.read(detach), is_sure=yes)
        except (CannotDivide, ValueError) as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self._show()

    def _detach(self, upto: Month, *, is_sure: bool) -> None:
        now = timezone.now()
        old = services.detach(upto, now) if is_sure else services.detached_by(upto, now)
        for part, rows in old:
            self.stdout.write(f"{part.table}: {rows:,} points")
        said = "now count nowhere" if is_sure else "would count nowhere any more; --yes does it"
        self.stdout.write(f"{sum(rows for _, rows in old):,} points {said}.")

    def _show(self) -> None:
        parts = services.parts()
        if not parts:
            self.stdout.write("equity_snapshots is one table.")
        for part in parts:
            self.stdout.write(
                f"{part.table:<28}{part.rows:>14,} rows (estimated) {part.size_bytes / 2**20:>10,.1f} MiB"
            )
