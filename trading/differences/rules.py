"""Compares what the record holds of a trader with what its exchange says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from traders.schema.messages import TranslatableText, _
from traders.versions.rules.errors import ConfigError
from trading.schema.common import Side

# Of the larger quantity: exchanges round.
QUANTITY_TOLERANCE = Decimal("1e-9")
# Of the exchange's equity: prices move between the two readings.
EQUITY_TOLERANCE, LEAST_EQUITY_USD = Decimal("0.01"), Decimal(1)
# Two equities that are further apart in time are not compared.
EQUITY_AGE_MS = 10 * 60 * 1000


class DifferenceKind(StrEnum):
    ONLY_HERE = "only_here"
    ONLY_THERE = "only_there"
    QUANTITY = "quantity"
    SECOND_SIDE = "second_side"
    ORDER_ONLY_HERE = "order_only_here"
    ORDER_ONLY_THERE = "order_only_there"
    EQUITY = "equity"


class Settlement(StrEnum):
    TAKEN = "taken"
    DISMISSED = "dismissed"


class RestingOrderKind(StrEnum):
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"


NEEDS_PRICE = frozenset({DifferenceKind.ONLY_HERE, DifferenceKind.ONLY_THERE, DifferenceKind.QUANTITY})


class UnknownDifference(ConfigError):
    def __init__(self, difference_id: int) -> None:
        super().__init__(_("there is no difference %(id)s that is not settled", id=difference_id))


class CannotBeTaken(ConfigError):
    pass


@dataclass(frozen=True, slots=True)
class HeldHere:
    """An open position of the record; `orders` are the ids of its stop and its target, as texts."""

    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal
    orders: dict[RestingOrderKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldThere:
    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    entry_time_ms: int | None = None
    leverage: Decimal | None = None

    @property
    def notional(self) -> Decimal:
        return self.quantity * (self.mark_price or self.entry_price or Decimal(0))


@dataclass(frozen=True, slots=True)
class OrderThere:
    symbol: str
    id: str
    kind: RestingOrderKind
    side: Side | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AccountThere:
    """What an exchange says of a trader's account. `orders` and `equity_usd` None: not asked for."""

    positions: tuple[HeldThere, ...]
    orders: tuple[OrderThere, ...] | None
    equity_usd: Decimal | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class AccountHere:
    """What the record holds of it. `equity` is the newest point (moment, USD) that counts."""

    positions: tuple[HeldHere, ...]
    equity: tuple[int, Decimal] | None


@dataclass(frozen=True, slots=True)
class FoundDifference:
    """`ours` and `theirs` are compared values; `known` is what helps to take the exchange's."""

    kind: DifferenceKind
    subject: str
    symbol: str | None = None
    side: Side | None = None
    ours: dict[str, Any] = field(default_factory=dict)
    theirs: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def detail(self) -> dict[str, Any]:
        return {"ours": self.ours, "theirs": self.theirs, "known": self.known}


def differences(here: AccountHere, there: AccountThere) -> list[FoundDifference]:
    found = _of_positions(here.positions, there.positions)
    if there.orders is not None:
        found += _of_orders(here.positions, there.orders)
    if there.equity_usd is not None:
        found += _of_equity(here.equity, there.equity_usd, there.at_ms)
    return found


def compared(here: AccountHere, there: AccountThere) -> frozenset[DifferenceKind]:
    """The kinds that a report can tell of: what it leaves out neither differs nor agrees."""
    left_out: set[DifferenceKind] = set()
    if there.orders is None:
        left_out |= {DifferenceKind.ORDER_ONLY_HERE, DifferenceKind.ORDER_ONLY_THERE}
    if there.equity_usd is None or not _is_near(here.equity, there.at_ms):
        left_out.add(DifferenceKind.EQUITY)
    return frozenset(DifferenceKind) - left_out


def is_same(dismissed: dict[str, Any], found: FoundDifference) -> bool:
    """Whether a person has dismissed just this: the same values, or an equity that is as far off as it was."""
    if found.kind is not DifferenceKind.EQUITY:
        return bool(dismissed["ours"] == found.ours and dismissed["theirs"] == found.theirs)
    then, now = _gap(dismissed["ours"], dismissed["theirs"]), _gap(found.ours, found.theirs)
    return abs(now - then) <= _equity_tolerance(found.theirs["equity_usd"])


def words(kind: DifferenceKind) -> TranslatableText:
    return {
        DifferenceKind.ONLY_HERE: _("recorded as open, and not at the exchange"),
        DifferenceKind.ONLY_THERE: _("open at the exchange, and not recorded"),
        DifferenceKind.QUANTITY: _("another quantity at the exchange"),
        DifferenceKind.SECOND_SIDE: _("a second side of a hedge at the exchange"),
        DifferenceKind.ORDER_ONLY_HERE: _("an order of the record is not at the exchange"),
        DifferenceKind.ORDER_ONLY_THERE: _("an order at the exchange is not recorded"),
        DifferenceKind.EQUITY: _("another equity at the exchange"),
    }[kind]


def fill_price(held: HeldHere, there: dict[str, Any], known: dict[str, Any]) -> Decimal | None:
    """The price of the missing fill: of an increase that which gives the exchange's average entry, else its mark."""
    more, average = there["quantity"] - held.quantity, known.get("entry_price")
    if more > 0 and average:
        price = (there["quantity"] * average - held.quantity * held.entry_price) / more
        return Decimal(price) if price > 0 else Decimal(average)
    return known.get("mark_price")


def _of_positions(here: Iterable[HeldHere], there: Iterable[HeldThere]) -> list[FoundDifference]:
    sides: dict[str, list[HeldThere]] = defaultdict(list)
    for position in there:
        if position.quantity:
            sides[position.symbol].append(position)
    recorded = {position.symbol: position for position in here}
    found = []
    for symbol in sorted({*recorded, *sides}):
        ours, theirs = recorded.get(symbol), sorted(sides.get(symbol, ()), key=lambda one: -one.notional)
        main = next((one for one in theirs if ours and one.side is ours.side), None)
        if ours and main is None:
            found.append(_position(DifferenceKind.ONLY_HERE, ours, None))
        elif (
            ours
            and main
            and abs(ours.quantity - main.quantity) > QUANTITY_TOLERANCE * max(ours.quantity, main.quantity)
        ):
            found.append(_position(DifferenceKind.QUANTITY, ours, main))
        for number, other in enumerate(one for one in theirs if one is not main):
            is_second = main is not None or number > 0
            found.append(_position(DifferenceKind.SECOND_SIDE if is_second else DifferenceKind.ONLY_THERE, None, other))
    return found


def _position(kind: DifferenceKind, ours: HeldHere | None, theirs: HeldThere | None) -> FoundDifference:
    one = ours or theirs
    assert one is not None
    known = {}
    if theirs is not None:
        names = ("entry_price", "mark_price", "entry_time_ms", "leverage")
        known = {name: value for name in names if (value := getattr(theirs, name)) is not None}
    return FoundDifference(
        kind,
        f"{one.symbol} {one.side}",
        one.symbol,
        one.side,
        ours={"quantity": ours.quantity, "entry_price": ours.entry_price} if ours else {},
        theirs={"quantity": theirs.quantity} if theirs else {},
        known=known,
    )


def _of_orders(here: Sequence[HeldHere], there: Sequence[OrderThere]) -> list[FoundDifference]:
    """Of stop and target orders that positions of the record name, and of orders that none of them names."""
    at_exchange = {order.id for order in there}
    recorded = {order_id: (position, kind) for position in here for kind, order_id in position.orders.items()}
    gone = [
        FoundDifference(
            DifferenceKind.ORDER_ONLY_HERE,
            f"{position.symbol} {kind} {order_id}",
            position.symbol,
            position.side,
            ours={"order": kind.value, "id": order_id},
        )
        for order_id, (position, kind) in recorded.items()
        if order_id not in at_exchange
    ]
    unknown = [
        FoundDifference(
            DifferenceKind.ORDER_ONLY_THERE,
            f"{order.symbol} {order.kind} {order.id}",
            order.symbol,
            order.side,
            theirs={"order": order.kind.value, "id": order.id},
            known={name: value for name in ("quantity", "price") if (value := getattr(order, name)) is not None},
        )
        for order in there
        if order.id not in recorded
    ]
    return gone + unknown


def _of_equity(here: tuple[int, Decimal] | None, there: Decimal, at_ms: int) -> list[FoundDifference]:
    if here is None or not _is_near(here, at_ms) or abs(here[1] - there) <= _equity_tolerance(there):
        return []
    return [
        FoundDifference(
            DifferenceKind.EQUITY,
            "equity",
            ours={"equity_usd": here[1], "ts_ms": here[0]},
            theirs={"equity_usd": there},
            known={"ts_ms": at_ms},
        )
    ]


def _is_near(here: tuple[int, Decimal] | None, at_ms: int) -> bool:
    return here is not None and abs(at_ms - here[0]) <= EQUITY_AGE_MS


def _equity_tolerance(equity: Decimal) -> Decimal:
    return max(LEAST_EQUITY_USD, abs(equity) * EQUITY_TOLERANCE)


def _gap(ours: dict[str, Any], theirs: dict[str, Any]) -> Decimal:
    return Decimal(theirs["equity_usd"]) - Decimal(ours["equity_usd"])
