"""What an exchange says of a trader's account, compared with the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from ninja import Router
from pydantic import AfterValidator, Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, UNTHROTTLED, Invalid
from traders.api.wanted_answers import WantedAnswer, wanted_answers
from traders.api.wire import Answer, Body
from traders.schema import moments
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.symbols import Symbol
from traders.schema.tokens import Scope
from trading.api.record import NEVER_THROTTLED
from trading.differences import services
from trading.differences.rules import AccountThere, DifferenceKind, HeldThere, OrderThere, RestingOrderKind
from trading.models import ExchangeDifference
from trading.record.stored import symbols
from trading.schema.common import Side
from trading.schema.leaf import Amount, Identifier, MomentMs

router = Router(tags=["Record: write-state"], auth=NEVER_THROTTLED)

MOST_POSITIONS, MOST_ORDERS = 1_000, 5_000
# Differences are told apart by it, in an index that takes no longer one.
MOST_ID_CHARACTERS = 200

Quantity = Annotated[Amount, Field(ge=0, le=10**15)]
Price = Annotated[Amount, Field(gt=0, le=10**15)]


class PositionThere(Body):
    """Both sides of a hedge are two of them. Of a position that the record lacks, its price and time are taken."""

    symbol: Symbol
    side: Side
    quantity: Quantity
    entry_price: Price | None = None
    mark_price: Price | None = None
    entry_time_ms: MomentMs | None = None
    leverage: Annotated[Amount, Field(gt=0, le=1000)] | None = None


def _short(order_id: int | str) -> int | str:
    if len(str(order_id)) > MOST_ID_CHARACTERS:
        raise ValueError(_("must have at most %(limit)s characters", limit=MOST_ID_CHARACTERS))
    return order_id


class RestingOrder(Body):
    symbol: Symbol
    id: Annotated[Identifier, AfterValidator(_short)]
    kind: RestingOrderKind
    side: Side | None = None
    quantity: Quantity | None = None
    price: Price | None = None


class AccountBody(Body):
    """The whole account, at one moment. Orders and equity that are left out are not compared."""

    positions: Annotated[list[PositionThere], Field(max_length=MOST_POSITIONS)]
    orders: Annotated[list[RestingOrder], Field(max_length=MOST_ORDERS)] | None = None
    equity: Amount | None = Field(None, description="USD.")
    at_ms: MomentMs | None = Field(None, description="When the exchange said it; left out, it is now.")


class DifferenceAnswer(Answer):
    """`ours` is what the record holds, `theirs` what the exchange does; empty: nothing. `agreed_at` is when a report
    first came without it: it waits for a person all the same."""

    id: int
    kind: DifferenceKind
    symbol: str | None
    side: Side | None
    ours: dict[str, Any]
    theirs: dict[str, Any]
    found_at: datetime
    seen_at: datetime
    agreed_at: datetime | None
    reported_by: str


class DifferencesAnswer(WantedAnswer):
    """Those that are not settled, oldest first, and what is wanted of the trader meanwhile."""

    differences: list[DifferenceAnswer]


@router.get(
    "/traders/{trader_id}/differences",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response={200: DifferencesAnswer, **REFUSALS},
    summary="Differences with the exchange that are not settled",
)
def list_differences(request: EngineRequest, trader_id: str) -> DifferencesAnswer:
    """A person settles each, on the page Differences."""
    return _answer(trader_id, services.unsettled(trader_id))


@router.post(
    "/traders/{trader_id}/reconcile",
    response={200: DifferencesAnswer, 422: Invalid, **UNTHROTTLED},
    summary="Compare an exchange's account with the record",
)
def reconcile(request: EngineRequest, trader_id: str, body: AccountBody) -> DifferencesAnswer:
    """While a difference is not settled, entries of the trader are banned; nothing of the record changes before a
    person has decided. The same report again changes nothing."""
    there = _account(trader_id, body)
    return _answer(trader_id, services.reconcile(trader_id, there, actor=request.auth.actor))


def _account(trader_id: str, body: AccountBody) -> AccountThere:
    """Raises InvalidConfig for a side of a symbol, or an order, that is there twice."""
    named = {one.symbol for one in (*body.positions, *(body.orders or ()))}
    spell = symbols.spellings(symbols.exchange_of(trader_id), named)
    positions = tuple(HeldThere(**{**dict(one), "symbol": spell(one.symbol)}) for one in body.positions)
    orders = tuple(
        OrderThere(**{**dict(one), "symbol": spell(one.symbol), "id": str(one.id)}) for one in body.orders or ()
    )
    _require_once("positions", [(one.symbol, one.side) if one.quantity else None for one in positions])
    _require_once("orders", [(one.symbol, one.kind, one.id) for one in orders])
    return AccountThere(
        positions=positions,
        orders=None if body.orders is None else orders,
        equity_usd=body.equity,
        at_ms=body.at_ms or moments.now_ms(),
    )


def _require_once(name: str, keys: Sequence[tuple[str, ...] | None]) -> None:
    """A key of None is no part of the account."""
    seen: set[tuple[str, ...]] = set()
    for place, key in enumerate(keys):
        if key is None:
            continue
        if key in seen:
            raise InvalidConfig([Problem(f"{name}[{place}]", _("is given twice"))])
        seen.add(key)


def _answer(trader_id: str, rows: list[ExchangeDifference]) -> DifferencesAnswer:
    return DifferencesAnswer(
        differences=[
            DifferenceAnswer(
                id=row.pk,
                kind=DifferenceKind(row.kind),
                symbol=row.symbol,
                side=Side(row.side) if row.side else None,
                ours=row.detail["ours"],
                theirs=row.detail["theirs"],
                found_at=row.found_at,
                seen_at=row.seen_at,
                agreed_at=row.agreed_at,
                reported_by=row.reported_by,
            )
            for row in rows
        ],
        **dict(wanted_answers([trader_id])[trader_id]),
    )
