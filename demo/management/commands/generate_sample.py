"""Fills the demo's database, or the database of the tests, with an invented fleet."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from demo import services
from demo.sample.plan import DAYS, SEED, TRADERS, SamplePlan, usual_trades, whole_hour
from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from trading.management.counted import counted


class Command(RefusingCommand):
    help = (
        "Add a fleet of sample traders with versions, prices, decisions, positions, trades and equity. The same seed "
        "and end make the same rows. Refused where a trader of one of their names is there already."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--traders", type=int, default=TRADERS, help=f"how many (default {TRADERS})")
        parser.add_argument("--days", type=int, default=DAYS, help=f"how far back they go (default {DAYS})")
        parser.add_argument("--trades", type=int, help="closed ones of all together (default 40 a trader and 30 days)")
        parser.add_argument("--seed", type=int, default=SEED, help=f"another number, another fleet (default {SEED})")
        parser.add_argument("--end", type=past_moment, help="the last moment (default now, rounded down to the hour)")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            try:
                rows = services.generate(_plan(argparse.Namespace(**options)), self._progress(options["traders"]))
            except ValueError as error:
                raise CommandError(f"{error}.") from error
        self.stdout.write(f"Made the sample fleet: {counted(rows)}.")

    def _progress(self, traders: int) -> Any:
        """A counter on a terminal; nothing elsewhere."""
        if not sys.stderr.isatty():
            return lambda count: None
        return lambda count: self.stderr.write(
            f"\r{count:,} of {traders:,} traders", ending="\n" if count == traders else ""
        )


def _plan(options: argparse.Namespace) -> SamplePlan:
    return SamplePlan(
        traders=options.traders,
        days=options.days,
        trades=usual_trades(options.traders, options.days) if options.trades is None else options.trades,
        seed=options.seed,
        end=whole_hour(options.end or timezone.now()),
    )
