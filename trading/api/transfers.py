"""Money moved into or out of a trader's account."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router
from pydantic import Field, StringConstraints

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Refusal
from traders.api.wire import Answer, Body
from traders.schema.tokens import Scope
from trading.api.record import NEVER_THROTTLED, RECORDED
from trading.models import EquityTransfer
from trading.record.rules.errors import UnknownTrader
from trading.record.transfers import services as transfers
from trading.schema.facts import TransferKind
from trading.schema.leaf import Amount, MomentMs, Text

router = Router(tags=["Record: write-state"], auth=NEVER_THROTTLED)

ANSWERS: dict[int, Any] = {**RECORDED, 403: Refusal}
TransferId = Annotated[Text, StringConstraints(min_length=1, max_length=200)]


class MoneyTransfer(Body):
    """`amount_usd` of a deposit, a withdrawal and an internal transfer is its size; of a correction it has a sign."""

    id: TransferId = Field(description="The engine's own: by it the same transfer is known when it comes again.")
    kind: TransferKind
    amount_usd: Amount
    ts_ms: MomentMs
    reason: Text
    to_trader_id: str = Field("", max_length=64, description="Of an internal transfer: who is paid.")


class RecordedTransfer(Answer):
    """`amount_usd` is positive into the account, negative out of it."""

    id: str
    trader_id: str
    kind: TransferKind
    amount_usd: Any
    ts_ms: int
    reason: str
    actor: str


class Transfers(Answer):
    transfers: list[RecordedTransfer]


@router.get(
    "/traders/{trader_id}/transfers",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response={200: Transfers, **REFUSALS},
    summary="Transfers of a trader",
)
def listed(request: EngineRequest, trader_id: str) -> Transfers:
    """In order of time."""
    found = EquityTransfer.objects.filter(trader=trader_id).order_by("ts_ms", "pk")
    return Transfers(
        transfers=[
            RecordedTransfer(
                id=row.transfer_id,
                trader_id=row.trader_id,
                kind=TransferKind(row.kind),
                amount_usd=row.amount_usd,
                ts_ms=row.ts_ms,
                reason=row.reason,
                actor=row.actor,
            )
            for row in found
        ]
    )


@router.put("/traders/{trader_id}/transfers", response={200: RecordedTransfer, **ANSWERS}, summary="Record a transfer")
def moved(request: EngineRequest, trader_id: str, body: MoneyTransfer) -> RecordedTransfer:
    """A deposit is no gain: returns, ratios and drawdown are time-weighted. 409: the id is taken by another transfer,
    or the trader has its initial one already."""
    if body.to_trader_id and not request.auth.sees(body.to_trader_id):
        raise UnknownTrader(body.to_trader_id)
    made = transfers.transfer(
        trader_id=trader_id,
        kind=body.kind,
        amount=body.amount_usd,
        ts_ms=body.ts_ms,
        reason=body.reason,
        actor=request.auth.actor,
        transfer_id=body.id,
        to_trader_id=body.to_trader_id,
    )
    return RecordedTransfer(
        id=made.transfer_id,
        trader_id=made.trader_id,
        kind=made.kind,
        amount_usd=made.amount,
        ts_ms=made.ts_ms,
        reason=made.reason,
        actor=made.actor,
    )
