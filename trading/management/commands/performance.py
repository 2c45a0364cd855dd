"""Prints the performance of traders, from the trading record."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from trading.analytics.groups.keys import GroupBy
from trading.analytics.services import performance_groups, set_aside
from trading.family.services import compare
from trading.management.family_text import family_json, family_table
from trading.management.performance_text import aside_lines, csv_lines, json_lines, table
from trading.schema.common import Side

_SAID = {"since": "from", "until": "to", "start_capital": "start-capital"}


class Command(RefusingCommand):
    help = "P&L, ratios and drawdown of traders, whole or by version, symbol, side, prompt or period."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--trader", action="append", default=[], metavar="ID", help="only this trader; repeatable")
        parser.add_argument(
            "--family",
            metavar="ID",
            help="this trader and its clones over the time in which all ran, each version that they ran beside it",
        )
        parser.add_argument(
            "--by",
            choices=[by.value for by in GroupBy],
            default=GroupBy.TRADER.value,
            help="version: each trader's versions, a trade counting for the one that opened it; default trader",
        )
        parser.add_argument("--symbol", metavar="SYMBOL", help="only trades in this symbol")
        parser.add_argument("--side", choices=[side.value for side in Side], help="only long, or only short trades")
        parser.add_argument("--from", dest="since", type=past_moment, metavar="TIME", help="trades closed from then on")
        parser.add_argument("--to", dest="until", type=past_moment, metavar="TIME", help="trades closed before then")
        parser.add_argument(
            "--start-capital", type=_usd, metavar="USD", help="of each trader whose equity was never recorded"
        )
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="one JSON object a line, at full precision")
        output.add_argument("--csv", action="store_true", help="headline figures at full precision")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["family"] is not None:
            self._family(options)
            return
        since, until = options["since"], options["until"]
        if since and until and since >= until:
            raise CommandError("--from must be before --to")
        write = json_lines if options["json"] else csv_lines if options["csv"] else table
        with refusals():
            found = performance_groups(
                options["trader"],
                by=GroupBy(options["by"]),
                since=since,
                until=until,
                symbol=options["symbol"],
                side=options["side"],
                start_capital=options["start_capital"],
            )
            for line in write(found):
                self.stdout.write(line)
            if write is table:
                for line in aside_lines(set_aside(options["trader"], since=since, until=until)):
                    self.stdout.write(line)

    def _family(self, options: dict[str, Any]) -> None:
        """Raises CommandError for an option that has no meaning with it."""
        for name in ("trader", "symbol", "side", "since", "until", "start_capital", "csv"):
            if options[name]:
                raise CommandError(f"--family takes no --{_SAID.get(name, name)}: its time is the one in common")
        if options["by"] not in (GroupBy.TRADER.value, GroupBy.VERSION.value):
            raise CommandError(f"--family takes no --by {options['by']}: it shows traders and their versions")
        write = family_json if options["json"] else family_table
        with refusals():
            for line in write(compare(options["family"])):
                self.stdout.write(line)


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount < 10**12):
        raise ArgumentTypeError(f"{text!r} is no amount in USD above 0")
    return amount
