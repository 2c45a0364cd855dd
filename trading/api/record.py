"""Positions, trades and equity: every request may be sent again, and changes nothing the second time."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, UNTHROTTLED, Invalid, Refusal
from traders.api.wire import Answer, Body, Redacted
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.redaction import redactions_in
from traders.schema.settings.declare import Integer
from traders.schema.symbols import Symbol
from traders.schema.tokens import Scope
from trading.api.marks import AsideMark
from trading.api.reports import KEPT, ProgramReport, kept_in, refuse_own
from trading.record.rules.contradictions import contradictions
from trading.record.stored import symbols
from trading.record.writing import services as record
from trading.schema import position, trade
from trading.schema.common import NANOSECONDS_PER_MS, Exchange, ExitPlan, Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint
from trading.schema.leaf import Amount, MomentMs
from trading.schema.position import PositionDetail

router = Router(tags=["Record: write-state"], auth=TokenWith(Scope.WRITE_STATE))

# What happened must be recorded: an engine writes most in a crash.
NEVER_THROTTLED = TokenWith(Scope.WRITE_STATE, is_throttled=False)

RECORDED: dict[int, Any] = {409: Refusal, 422: Invalid | Refusal, **UNTHROTTLED}
REFUSED: dict[int, Any] = {**RECORDED, **REFUSALS}

MomentNs = Annotated[Integer, Field(ge=EARLIEST_MS * NANOSECONDS_PER_MS, le=LATEST_MS * NANOSECONDS_PER_MS)]
DecisionId = Annotated[Integer, Field(ge=1, le=2**63 - 1, description="The decision that ordered it, if one did.")]


class Holding(ProgramReport):
    """The position is known again by its side and the time of its entry; parts that are left out stay as they are."""

    symbol: Symbol
    side: Side
    entry: position.Entry
    exchange: Exchange | None = None
    orders: position.Orders | None = None
    exit_plan: ExitPlan | None = None
    risk: position.PositionRisk | None = None
    reported: position.Reported | None = None
    decision_id: DecisionId | None = None

    own: ClassVar[frozenset[str]] = frozenset({"close", "versions", "origin", "corrects", "against_control"})


class Closing(ProgramReport):
    symbol: Symbol
    price: Annotated[Amount, Field(ge=0, description="0 where the symbol was settled at nothing.")]
    closed_at_ns: MomentNs
    pnl: trade.Pnl | None = Field(
        None,
        description="Of this close, or of the whole position where its gross is. Left out: as prices and fills tell.",
    )
    fills: tuple[trade.Fill, ...] = ()
    decision_id: DecisionId | None = None


class ClosedTrade(ProgramReport):
    """`detail` without `versions`, `origin` and `against_control`, which the record writes itself."""

    symbol: Symbol
    side: Side
    closed_at_ns: MomentNs
    detail: trade.TradeDetail


class Point(Body):
    """Parts that are left out are derived: realized P&L from what is recorded, unrealized P&L from fresh prices."""

    ts_ms: MomentMs
    equity_usd: Amount
    realized_pnl: Amount | None = Field(
        None, description="USD: of all closed quantities, less commissions, plus funding."
    )
    total_unrealized_pnl: Amount | None = Field(None, description="USD: of all that is held.")


class Points(Body):
    points: Annotated[list[Point], Field(min_length=1, max_length=10_000)]


class Recorded(Answer):
    """`detail` as it is stored; docs/api.md and the ticket in the browser explain its leaves. `kept` names what is not
    known and stands under `detail.extra`."""

    id: str
    symbol: str
    side: Side
    detail: dict[str, Any]
    redacted: Redacted
    kept: Annotated[list[str], Field(description=KEPT)] = []
    contradictions: list[str] = Field([], description="Where a trade contradicts itself; it is recorded as it came.")
    set_aside: AsideMark | None = None


class Held(Answer):
    positions: list[Recorded]


class Counted(Answer):
    recorded: int
    known: int = Field(description="Were recorded already.")
    set_aside: int = Field(0, description="Of the known, count nowhere: an operator set them aside.")


@router.get(
    "/traders/{trader_id}/positions",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response={200: Held, **REFUSALS},
    summary="Open positions",
)
def held(request: EngineRequest, trader_id: str) -> Held:
    return Held(positions=[answer_of(found) for found in record.held(trader_id)])


@router.put("/traders/{trader_id}/positions", response={200: Recorded, **REFUSED}, summary="Open or update a position")
def hold(request: EngineRequest, trader_id: str, body: Holding) -> Recorded:
    """409: another position is open in the symbol, or this one was closed already. One that was set aside stays so, and
    the answer says it."""
    parts = {name: part for name in body.model_fields_set if (part := getattr(body, name)) is not None}
    known = {name: part for name, part in parts.items() if name in PositionDetail.model_fields}
    detail = PositionDetail(**known | ({"extra": body.kept} if body.kept else {}))
    return answer_of(
        record.position(
            trader_id=trader_id,
            symbol=symbols.settled(trader_id, body.symbol, detail.exchange.provider),
            side=body.side,
            detail=detail,
            decision_id=body.decision_id,
        ),
        RecordKind.POSITION,
    )


@router.post(
    "/traders/{trader_id}/positions/close",
    auth=NEVER_THROTTLED,
    response={200: Recorded, **RECORDED},
    summary="Close a position",
)
def close(request: EngineRequest, trader_id: str, body: Closing) -> Recorded:
    """All that is held, together with its trade, which is answered. Parts that were closed before are in the trade.
    409: the open position was set aside."""
    symbol = symbols.spelled(trader_id, body.symbol)
    sent = dict(body) | {"symbol": symbol, "extra": body.kept}
    return answer_of(record.close(trader_id=trader_id, **sent), RecordKind.TRADE)


@router.put(
    "/traders/{trader_id}/trades", auth=NEVER_THROTTLED, response={200: Recorded, **RECORDED}, summary="Record a trade"
)
def traded(request: EngineRequest, trader_id: str, body: ClosedTrade) -> Recorded:
    """One whose position was not recorded here. Its versions are those valid at its entry and its exit."""
    refuse_own(body.detail, ("versions", "origin", "corrects", "against_control"), trader_id)
    if body.closed_at_ns // NANOSECONDS_PER_MS != body.detail.time.close_ts_ms:
        right = _("must be the nanoseconds of detail.time.close_ts_ms, %(ms)s", ms=body.detail.time.close_ts_ms)
        raise InvalidConfig([Problem("closed_at_ns", right, trader_id)])
    symbol = symbols.settled(trader_id, body.symbol, body.detail.exchange.provider)
    detail = body.detail.model_copy(update={"extra": body.kept}) if body.kept else body.detail
    made = record.trade(
        trader_id=trader_id, symbol=symbol, side=body.side, closed_at_ns=body.closed_at_ns, detail=detail
    )
    return answer_of(made, RecordKind.TRADE)


@router.put(
    "/traders/{trader_id}/equity", auth=NEVER_THROTTLED, response={200: Counted, **RECORDED}, summary="Record equity"
)
def equity(request: EngineRequest, trader_id: str, body: Points) -> Counted:
    """All points or none. 409: other equity is recorded of a moment."""
    points = [
        EquityPoint(
            trader_id,
            point.ts_ms,
            point.equity_usd,
            realized=point.realized_pnl,
            unrealized=point.total_unrealized_pnl,
        )
        for point in body.points
    ]
    outcome = record.equity_points(trader_id, points)
    return Counted(recorded=outcome.inserted, known=outcome.known, set_aside=outcome.set_aside)


def answer_of(found: Any, kind: RecordKind | None = None) -> Recorded:
    """Of a position or a trade; without `kind` it is known to count."""
    return Recorded(
        id=found.id,
        symbol=found.symbol,
        side=found.side,
        detail=found.detail.stored(),
        redacted=list(redactions_in(found.detail)),
        kept=kept_in(found.detail),
        contradictions=list(contradictions(found.side, found.detail)) if kind is RecordKind.TRADE else [],
        set_aside=AsideMark.of(RecordKey(kind, found.id, found.trader_id)) if kind else None,
    )
