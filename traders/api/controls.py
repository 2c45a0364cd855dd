"""Controls: asked for by tools, acknowledged by engines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Query, Router
from ninja.errors import AuthorizationError
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, UNTHROTTLED, Invalid
from traders.api.wanted_answers import (
    ControlAnswer,
    Desired,
    WantedAnswer,
    control_of,
    desired_of,
    wanted_answers,
)
from traders.api.wire import Answer, Body, VersionNumber
from traders.controls import queries, services
from traders.controls.services import Asked, Written
from traders.controls.wanted import wanted_of_one
from traders.runtime.redaction import without_secrets
from traders.schema.controls.rows import CAUSE_FORM, OPERATOR, STOPPING_KINDS, AckResult, ControlKind
from traders.schema.runtime import RuntimePart, Said, StoredMoment
from traders.schema.settings.declare import Boolean
from traders.schema.symbols import Symbol
from traders.schema.tokens import Scope

ANY = TokenWith(Scope.CONTROL, Scope.STOP, is_throttled=False)
router = Router(tags=["Controls: control, stop"], auth=ANY)

MOST_LISTED = 500


class NewControlBody(Body):
    """`until` belongs to pause and cooldown, `version` to pin, `symbol` to close, cooldown and clear_cooldown. `once`:
    a second request with this text writes nothing, and another request with it is refused."""

    kind: ControlKind
    reason: str
    until: StoredMoment | None = None
    version: VersionNumber | None = None
    symbol: Symbol | None = None
    cause: Annotated[str, Field(pattern=CAUSE_FORM, description="Whose pauses a resume ends.")] = OPERATOR
    keep_trading: Boolean = Field(False, description="Of a close of all: without it the trader is paused as well.")
    once: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class FleetControlBody(Body):
    kind: ControlKind
    reason: str
    close_all: Boolean = Field(False, description="Of a stop: closes every open position as well.")


class AckBody(Body):
    """`at` is the engine's moment; left out, it is now."""

    result: AckResult
    note: Said | None = None
    at: StoredMoment | None = None


class AckNote(RuntimePart):
    note: Said | None = None


class WrittenAnswer(Answer):
    """`is_new` false: the control stood already, and nothing was written."""

    control: ControlAnswer
    is_new: bool


class FleetControlsAnswer(Answer):
    controls: list[WrittenAnswer]


class TraderControlsAnswer(WantedAnswer):
    """`controls` is empty where there was nothing to end, as for a resume without a pause."""

    controls: list[WrittenAnswer]


class ControlLog(Answer):
    """Newest first. `next_before` is where the next page begins, null on the last."""

    desired: Desired
    controls: list[ControlAnswer]
    next_before: int | None


class Acknowledged(Answer):
    control_id: int
    trader_id: str
    result: AckResult
    note: str
    at: datetime


@router.get(
    "/traders/{trader_id}/controls",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE, Scope.CONTROL, Scope.STOP),
    response={200: ControlLog, **REFUSALS},
    summary="What is wanted of a trader, and what was asked",
)
def list_controls(
    request: EngineRequest,
    trader_id: str,
    before: Annotated[int | None, Query(None, ge=1, description="Of those older than this control.")] = None,
    limit: Annotated[int, Query(50, ge=1, le=MOST_LISTED)] = 50,
) -> ControlLog:
    """The controls of the trader and those of the fleet."""
    state = wanted_of_one(trader_id)
    found = queries.about(trader_id, before=before, limit=limit + 1)
    page = found[:limit]
    return ControlLog(
        desired=desired_of(state),
        controls=[control_of(row) for row in page],
        next_before=page[-1].id if len(found) > limit else None,
    )


@router.post(
    "/traders/{trader_id}/controls",
    response={200: TraderControlsAnswer, 422: Invalid, **UNTHROTTLED},
    summary="Start, stop, drain, pause, resume, close, pin, unpin, cooldown, clear_cooldown",
)
def ask_trader(request: EngineRequest, trader_id: str, body: NewControlBody) -> TraderControlsAnswer:
    """A stop, drain or pause needs `stop` or `control`, all others need `control`. The same asked again by the same
    token writes nothing.

    422: the version cannot run any more, nothing is open to be closed, a pause is a guard's, ...
    """
    _require(request, body.kind)
    given = body.model_dump(exclude={"kind"})
    written = services.control(body.kind, [trader_id], Asked(actor=request.auth.actor, **given))
    return TraderControlsAnswer(controls=_answers(written), **dict(wanted_answers([trader_id])[trader_id]))


@router.post(
    "/fleet/controls",
    auth=TokenWith(Scope.CONTROL, Scope.STOP, is_shared=True, is_throttled=False),
    response={200: FleetControlsAnswer, 422: Invalid, **UNTHROTTLED},
    summary="Stop the fleet, or release it",
)
def ask_fleet(request: EngineRequest, body: FleetControlBody) -> FleetControlsAnswer:
    """A stop bans entries of every trader, exits go on. A release ends it, and lifts no trader's own stop or pause."""
    _require(request, ControlKind.CLOSE if body.close_all else body.kind)
    return FleetControlsAnswer(controls=_answers(services.fleet_control(actor=request.auth.actor, **body.model_dump())))


@router.post(
    "/traders/{trader_id}/controls/{control_id}/ack",
    auth=TokenWith(Scope.WRITE_STATE, is_throttled=False),
    response={200: Acknowledged, 422: Invalid, **UNTHROTTLED},
    summary="What became of a control",
)
def acknowledge_control(request: EngineRequest, trader_id: str, control_id: int, body: AckBody) -> Acknowledged:
    """Of a control of the trader or of the fleet. What is said last counts; the same again changes nothing."""
    note = AckNote(note=body.note)
    clean, _ = without_secrets(note, f"the acknowledgement of {trader_id}", "note")
    said = services.acknowledge(
        trader_id=trader_id,
        control_id=control_id,
        result=body.result,
        note=clean.note or "",
        at=body.at or timezone.now(),
        actor=request.auth.actor,
    )
    return Acknowledged(
        control_id=said.control_id, trader_id=trader_id, result=AckResult(said.result), note=said.note, at=said.at
    )


def _require(request: EngineRequest, kind: ControlKind) -> None:
    """A token that may only stop."""
    if kind not in STOPPING_KINDS and Scope.CONTROL not in request.auth.scopes:
        raise AuthorizationError(message=f"The token {request.auth.name!r} lacks the scope control.")


def _answers(written: list[Written]) -> list[WrittenAnswer]:
    return [WrittenAnswer(control=control_of(one.control), is_new=one.is_new) for one in written]
