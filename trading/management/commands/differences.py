"""Lists what differs between exchanges and the record, and settles it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from traders.management.refusal import RefusingCommand, add_actor, given_actor, refusals, refusals_as_json
from traders.management.table import table
from traders.schema import jsonio
from trading.differences import rules, services
from trading.differences.rules import DifferenceKind, Settlement
from trading.models import ExchangeDifference
from trading.schema.leaf import LARGEST
from trading.schema.position import PositionRecord

HEAD = ("id", "trader", "about", "is", "recorded", "at the exchange", "found")
DONE = {Settlement.TAKEN: "the exchange's is taken", Settlement.DISMISSED: "it is dismissed"}


class Command(RefusingCommand):
    help = "List the differences between exchanges and the record, or settle one, as the page Differences does."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listed = verbs.add_parser("list", help="those that are not settled, the oldest first")
        listed.add_argument("--trader", metavar="ID", help="only those of this trader")
        one = verbs.add_parser("settle", help="take what the exchange says, or leave the record as it is")
        one.add_argument("difference_id", type=int, metavar="ID", help="as `list` shows it")
        ways = one.add_mutually_exclusive_group(required=True)
        for how, words in (
            (Settlement.TAKEN, "bring the record to what the exchange says"),
            (Settlement.DISMISSED, "leave the record as it is; the same difference comes up no more"),
        ):
            option = {Settlement.TAKEN: "--take", Settlement.DISMISSED: "--dismiss"}[how]
            ways.add_argument(option, dest="how", action="store_const", const=how, help=words)
        one.add_argument("--price", type=_price, metavar="USD", help="of the fill; by default as the exchange said it")
        one.add_argument("--reason", default="", help="why; required unless --dry-run")
        one.add_argument("--dry-run", action="store_true", help="show the position before and after, write nothing")
        add_actor(one)
        for verb in (listed, one):
            verb.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with refusals_as_json(self.stdout if options["json"] else None), refusals():
            said = list(_listed(**options) if verb == "list" else _settled(**options))
        for line in said:
            self.stdout.write(line)


def _listed(*, trader: str | None, json: bool, **options: Any) -> Iterator[str]:
    rows = services.unsettled(trader)
    if json:
        yield jsonio.dumps({"differences": [_as_json(row) for row in rows]})
    elif rows:
        yield from table([HEAD, *map(_cells, rows)])
    else:
        yield "Nothing differs that is not settled."


def _settled(*, difference_id: int, how: Settlement, price: Decimal | None, **options: Any) -> Iterator[str]:
    """Does it, unless it is a dry run."""
    row = services.existing(difference_id)
    if price is None and how is Settlement.TAKEN:
        price = services.suggested_price(row)
    shown = services.preview(difference_id, how, price)
    if not options["dry_run"]:
        actor = given_actor(options["actor"])
        services.settle(difference_id, how, price=price, reason=options["reason"], actor=actor)
    left = len(services.unsettled(row.trader_id)) - options["dry_run"]
    if options["json"]:
        yield jsonio.dumps(
            {
                "id": difference_id,
                "trader_id": row.trader_id,
                "settlement": how.value,
                "dry_run": options["dry_run"],
                "before": _position_json(shown.before),
                "after": _position_json(shown.after),
                "left": left,
            }
        )
        return
    yield f"{row.trader_id} {row.subject}: {DONE[how]}{', once it is settled' if options['dry_run'] else ''}."
    if row.symbol is not None:
        yield f"before: {_position(shown.before)}"
        yield f"after:  {_position(shown.after)}"
    yield f"Not settled of {row.trader_id}: {left:,}. {'It opens nothing.' if left else 'The ban has ended.'}"


def _cells(row: ExchangeDifference) -> tuple[str, ...]:
    return (
        *(str(row.pk), row.trader_id, row.subject, str(rules.words(DifferenceKind(row.kind)))),
        *(_values(row.detail["ours"]), _values(row.detail["theirs"]), f"{row.found_at:%Y-%m-%d %H:%M:%S} UTC"),
    )


def _values(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items()) or "-"


def _as_json(row: ExchangeDifference) -> dict[str, Any]:
    named = ("trader_id", "kind", "subject", "symbol", "side", "reported_by")
    moments = ("found_at", "seen_at", "agreed_at")
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in named},
        **row.detail,
        **{name: value and value.isoformat() for name in moments for value in (getattr(row, name),)},
    }


def _position(position: PositionRecord | None) -> str:
    if position is None:
        return "none is open"
    entry = position.detail.entry
    return f"{position.symbol} {position.side} {entry.quantity:,} at {entry.price:,}"


def _position_json(position: PositionRecord | None) -> dict[str, Any] | None:
    if position is None:
        return None
    entry = position.detail.entry
    return {
        "symbol": position.symbol,
        "side": position.side.value,
        "quantity": entry.quantity,
        "entry_price": entry.price,
    }


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal(0)
    if not (price.is_finite() and 0 < price <= LARGEST):
        raise ArgumentTypeError(f"{text!r} is no price in USD above 0")
    return price
