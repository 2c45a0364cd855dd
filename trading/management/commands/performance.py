"""Prints the performance of traders, from the trading record."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from trading.analytics.groups.keys import By
from trading.analytics.services import performance_groups, set_aside
from trading.management.performance_text import aside_lines, csv_lines, json_lines, table


class Command(RefusingCommand):
    help = "P&L, ratios and drawdown of traders, whole or by version, symbol, side, prompt or period."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--trader", action="append", default=[], metavar="ID", help="only this trader; repeatable")
        parser.add_argument(
            "--by",
            choices=[by.value for by in By],
            default=By.TRADER.value,
            help="version: each trader's versions, a trade counting for the one that opened it; default trader",
        )
        parser.add_argument("--from", dest="since", type=past_moment, metavar="TIME", help="trades closed from then on")
        parser.add_argument("--to", dest="until", type=past_moment, metavar="TIME", help="trades closed before then")
        parser.add_argument(
            "--start-capital", type=_usd, metavar="USD", help="of each trader whose equity was never recorded"
        )
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="one JSON object a line, at full precision")
        output.add_argument("--csv", action="store_true", help="headline figures at full precision")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"]
        if since and until and since >= until:
            raise CommandError("--from must lie before --to")
        write = json_lines if options["json"] else csv_lines if options["csv"] else table
        with refusals():
            found = performance_groups(
                options["trader"],
                by=By(options["by"]),
                since=since,
                until=until,
                start_capital=options["start_capital"],
            )
            for line in write(found):
                self.stdout.write(line)
            if write is table:
                for line in aside_lines(set_aside(options["trader"], since=since, until=until)):
                    self.stdout.write(line)


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount < 10**12):
        raise ArgumentTypeError(f"{text!r} is no amount in USD above 0")
    return amount
