"""Records money that was moved into or out of a trader's account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from traders.management.refusal import RefusingCommand, refusals
from traders.schema.actors import os_actor
from trading.record.transfers import services as transfers
from trading.schema.facts import TransferKind
from trading.schema.leaf import LARGEST


class Command(RefusingCommand):
    help = "Record a transfer, so that a deposit is no gain. The same transfer again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trader", metavar="TRADER")
        parser.add_argument("kind", choices=[kind.value for kind in TransferKind], metavar="KIND")
        parser.add_argument("amount", metavar="USD", help="its size; of a correction with its sign")
        parser.add_argument("--at", default="", help="moment like 2026-01-08T10:30:00Z; by default now")
        parser.add_argument("--to", default="", metavar="TRADER", help="the trader that receives an internal transfer")
        parser.add_argument("--id", default="", help="by it the same transfer is known again")
        parser.add_argument("--reason", required=True, help="why")
        parser.add_argument("--actor", default="", help="the actor; by default cli: and the account's name")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            made = transfers.transfer(
                trader_id=options["trader"],
                kind=TransferKind(options["kind"]),
                amount=_amount(options["amount"]),
                ts_ms=round(_moment(options["at"]).timestamp() * 1000),
                reason=options["reason"],
                actor=options["actor"] or os_actor(),
                transfer_id=options["id"],
                to_trader_id=options["to"],
            )
        self.stdout.write(f"{made.kind} {made.transfer_id} of {made.trader_id}: {made.amount:f} USD at {made.ts_ms}")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CommandError(f"USD must be a number, was {text!r}") from None
    if not amount.is_finite() or not -LARGEST <= amount <= LARGEST:
        raise CommandError(f"USD must be a number up to 10^15, was {text!r}")
    return amount


def _moment(text: str) -> datetime:
    if not text:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at must be a moment like 2026-01-08T10:30:00Z, was {text!r}") from None
    if moment.tzinfo is None:
        raise CommandError(f"--at must say its time zone, like 2026-01-08T10:30:00Z, was {text!r}")
    return moment
