"""Wrong values of the record replaced by right ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid, Refusal
from traders.api.wire import Answer, Body
from traders.schema.settings.declare import Integer
from traders.schema.tokens import Scope
from trading.api.journal import DecisionAnswer, decision_answer
from trading.api.record import Recorded, answer_of
from trading.record.corrections import services as corrections
from trading.schema.exclusion import RecordKey, RecordKind, equity_id
from trading.schema.leaf import MomentMs, Text

router = Router(tags=["Corrections: write-corrections"], auth=TokenWith(Scope.WRITE_CORRECTIONS))


class CorrectionBody(Body):
    """Right values by path, such as `pnl.net` or `fills[0].price`; null takes a leaf away."""

    set: Annotated[dict[str, Any], Field(min_length=1, max_length=100)]
    reason: Text


class RowCorrection(CorrectionBody):
    id: Text = Field(description="Of the wrong row, or of its last correction.")


class DecisionCorrection(CorrectionBody):
    """`config_version`, `decided_at` and `success` stand beside the paths below `detail`."""

    id: Annotated[Integer, Field(ge=1, le=10**18 - 1)] = Field(
        description="Of the wrong decision, or of its last correction."
    )


class PointCorrection(CorrectionBody):
    """`equity_usd`, `realized_pnl_usd`, `unrealized_pnl_usd`."""

    ts_ms: MomentMs = Field(description="Of the wrong point, or of its last correction.")


class CorrectedPoint(Answer):
    id: str = Field(description="`{trader_id}|{ts_ms}`.")
    trader_id: str
    ts_ms: int = Field(description="The first free millisecond after the wrong point.")
    corrects_ts_ms: int | None = Field(description="The moment of the wrong point.")
    equity_usd: Decimal
    realized_pnl_usd: Decimal | None
    unrealized_pnl_usd: Decimal | None


REFUSED: dict[int, Any] = {409: Refusal, 422: Invalid | Refusal, **REFUSALS}


def _corrected(request: EngineRequest, trader_id: str, kind: RecordKind, name: str, body: CorrectionBody) -> Any:
    made = corrections.correct(
        RecordKey(kind, name), body.set, reason=body.reason, actor=request.auth.actor, trader_id=trader_id
    )
    return made.record


@router.post("/traders/{trader_id}/trades/correct", response={200: Recorded, **REFUSED}, summary="Correct a trade")
def correct(request: EngineRequest, trader_id: str, body: RowCorrection) -> Recorded:
    """A new row with the id `{id}|c1`."""
    return answer_of(_corrected(request, trader_id, RecordKind.TRADE, body.id, body), RecordKind.TRADE)


@router.post(
    "/traders/{trader_id}/positions/correct", response={200: Recorded, **REFUSED}, summary="Correct a position"
)
def correct_position(request: EngineRequest, trader_id: str, body: RowCorrection) -> Recorded:
    """A new row with the id `{id}|c1`; of an open position with the id that it had, which the wrong one leaves. Its
    trade is corrected for itself."""
    return answer_of(_corrected(request, trader_id, RecordKind.POSITION, body.id, body), RecordKind.POSITION)


@router.post(
    "/traders/{trader_id}/decisions/correct", response={200: DecisionAnswer, **REFUSED}, summary="Correct a decision"
)
def correct_decision(request: EngineRequest, trader_id: str, body: DecisionCorrection) -> DecisionAnswer:
    """A new row with the messages of the wrong one, under the trader's next cycle number; its key is `{key}|c1`."""
    return decision_answer(_corrected(request, trader_id, RecordKind.DECISION, str(body.id), body))


@router.post(
    "/traders/{trader_id}/equity/correct",
    response={200: CorrectedPoint, **REFUSED},
    summary="Correct an equity point",
)
def correct_equity(request: EngineRequest, trader_id: str, body: PointCorrection) -> CorrectedPoint:
    """A new point at the first free millisecond after the wrong one."""
    name = equity_id(trader_id, body.ts_ms)
    point = _corrected(request, trader_id, RecordKind.EQUITY, name, body)
    return CorrectedPoint(
        id=equity_id(trader_id, point.ts_ms),
        **{field: getattr(point, field) for field in CorrectedPoint.model_fields if field != "id"},
    )
