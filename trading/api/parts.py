"""Parts of a position: reduced, increased, its plan moved. Each may be sent again, and then changes nothing."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Path, Router
from pydantic import Field

from traders.api.auth import EngineRequest
from traders.api.wire import Body
from traders.schema.symbols import Symbol
from trading.api.record import NEVER_THROTTLED, RECORDED, DecisionId, Recorded, answer_of
from trading.record.stored import symbols
from trading.record.writing import services as record
from trading.schema.common import EventKind, ExitPlan, PositionEvent
from trading.schema.exclusion import RecordKind
from trading.schema.leaf import Amount, Boolean, Identifier, MomentMs

router = Router(tags=["Record: write-state"], auth=NEVER_THROTTLED)

ANSWERS: dict[int, Any] = {200: Recorded, **RECORDED}
PATH = "/traders/{trader_id}/positions/{path:symbol}"

Size = Annotated[Amount, Field(gt=0)]


class PositionFill(Body):
    """A fill of an open position. It is known again by `fill_id`, else by `at_ms` and `order_id`."""

    quantity: Size
    price: Size
    at_ms: MomentMs
    order_id: Identifier | None = None
    fill_id: Identifier | None = None
    commission: Amount | None = Field(None, description="USD; a rebate is negative.")
    funding: Amount | None = Field(None, description="USD since the last event; positive when it was received.")
    is_funding_unknown: Boolean | None = Field(
        None, description="true: funding was due since the last event, and its amount is not known."
    )
    decision_id: DecisionId | None = None


class PositionReduction(PositionFill):
    price: Annotated[Amount, Field(ge=0)]
    gross: Amount | None = Field(None, description="P&L of the part in USD; left out: against the average entry.")


class PlanChange(Body):
    """The whole plan that is valid from `at_ms` on; a price that is left out is no part of it any more."""

    exit_plan: ExitPlan
    at_ms: MomentMs
    tp_oid: Identifier | None = Field(None, description="The order that takes profit; left out: as it was.")
    sl_oid: Identifier | None = Field(None, description="The order that stops the loss; left out: as it was.")
    decision_id: DecisionId | None = None


@router.post(f"{PATH}/reduce", response=ANSWERS, summary="Close a part of a position")
def reduce(request: EngineRequest, trader_id: str, symbol: Path[Symbol], body: PositionReduction) -> Recorded:
    """The position with what remains is answered. The last part may be sent here or to `close`: it closes the position
    and records one trade of all parts. 422: more than is held."""
    event = PositionEvent(kind=EventKind.REDUCE, **dict(body))
    return answer_of(
        record.event(trader_id=trader_id, symbol=symbols.spelled(trader_id, symbol), event=event), RecordKind.POSITION
    )


@router.post(f"{PATH}/increase", response=ANSWERS, summary="Add to a position")
def increase(request: EngineRequest, trader_id: str, symbol: Path[Symbol], body: PositionFill) -> Recorded:
    """The position with its new quantity and average entry is answered."""
    event = PositionEvent(kind=EventKind.INCREASE, **dict(body))
    return answer_of(
        record.event(trader_id=trader_id, symbol=symbols.spelled(trader_id, symbol), event=event), RecordKind.POSITION
    )


@router.post(f"{PATH}/plan", response=ANSWERS, summary="Move the stop or the target of a position")
def plan(request: EngineRequest, trader_id: str, symbol: Path[Symbol], body: PlanChange) -> Recorded:
    orders = {name: value for name in ("tp_oid", "sl_oid") if (value := getattr(body, name)) is not None}
    event = PositionEvent(
        kind=EventKind.PLAN, at_ms=body.at_ms, decision_id=body.decision_id, **orders, **dict(body.exit_plan)
    )
    made = record.event(trader_id=trader_id, symbol=symbols.spelled(trader_id, symbol), event=event, orders=orders)
    return answer_of(made, RecordKind.POSITION)
