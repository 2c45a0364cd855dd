"""Wrong figures replaced by right ones."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid, Refusal
from traders.api.wire import Body
from traders.schema.tokens import Scope
from trading.api.record import Recorded, answer_of
from trading.record.corrections import services as corrections
from trading.schema.exclusion import RecordKind
from trading.schema.leaf import Text

router = Router(tags=["Corrections: write-corrections"], auth=TokenWith(Scope.WRITE_CORRECTIONS))


class TradeCorrection(Body):
    """Right values by path below `detail`, such as `pnl.net`, and `side`; null takes a leaf away."""

    id: Text = Field(description="Of the wrong trade, or of its last correction.")
    set: Annotated[dict[str, Any], Field(min_length=1, max_length=100)]
    reason: Text


ANSWERS: dict[int, Any] = {200: Recorded, 409: Refusal, 422: Invalid | Refusal, **REFUSALS}


@router.post("/traders/{trader_id}/trades/correct", response=ANSWERS, summary="Correct a trade")
def correct(request: EngineRequest, trader_id: str, body: TradeCorrection) -> Recorded:
    """A new row with the id `{id}|c1` that counts in place of the wrong one, which is set aside with the reason. The
    same correction again changes nothing."""
    made = corrections.correct_trade(
        body.id, body.set, reason=body.reason, actor=request.auth.actor, trader_id=trader_id
    )
    return answer_of(made, RecordKind.TRADE)
