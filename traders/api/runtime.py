"""What an engine reports of a running trader, and its heartbeat."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, UNTHROTTLED, Invalid
from traders.api.wire import Answer, Body, Redacted, VersionNumber
from traders.runtime import services as runtime
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.redaction import redactions_in
from traders.schema.runtime import ReportDetail, RuntimeState, TraderBeat
from traders.schema.settings.declare import Boolean
from traders.schema.settings.trader import TraderId
from traders.schema.tokens import Scope
from traders.versions.rules.errors import UnknownConfig

router = Router(tags=["Running traders: write-state"], auth=TokenWith(Scope.WRITE_STATE))

MOST_HEARTBEATS = 1000

NEVER_THROTTLED = TokenWith(Scope.WRITE_STATE, is_throttled=False)

RunVersion = Annotated[VersionNumber, Field(description="The version that the engine runs.")]


class Report(Body):
    active_config_version: RunVersion
    is_running: Boolean
    detail: ReportDetail = ReportDetail()


class Heartbeat(Body):
    """What is left out stays as it was reported."""

    active_config_version: RunVersion | None = None
    is_running: Boolean | None = None


class TraderHeartbeat(Heartbeat):
    trader_id: TraderId


class Heartbeats(Body):
    heartbeats: Annotated[list[TraderHeartbeat], Field(min_length=1, max_length=MOST_HEARTBEATS)]


class Runtime(Answer):
    """With `config_version` above `active_config_version` the engine runs an old configuration."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any] = Field(description="The last report, and `desired`: what the operator wants.")
    updated_at: datetime
    config_version: int
    retired: bool
    redacted: Redacted


class RefusedHeartbeat(Answer):
    trader_id: str
    detail: str


class HeartbeatsAnswer(Answer):
    """One that is refused does not stop the others: the trader is unknown, or the heartbeat says what cannot be."""

    runtimes: list[Runtime]
    refused: list[RefusedHeartbeat]


ANSWERS: dict[int, Any] = {200: Runtime, 422: Invalid, **REFUSALS}


@router.get(
    "/traders/{trader_id}/runtime",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response=ANSWERS,
    summary="The last report",
)
def get_runtime(request: EngineRequest, trader_id: str) -> Runtime:
    """For an engine that starts again: whether the trader ran, and until when it is paused."""
    return _answer(runtime.state_of(trader_id))


@router.put("/traders/{trader_id}/runtime", response=ANSWERS, summary="Report")
def report_runtime(request: EngineRequest, trader_id: str, body: Report) -> Runtime:
    """Replaces the last report as a whole."""
    return _answer(runtime.report(trader_id=trader_id, **dict(body)))


@router.post(
    "/traders/{trader_id}/heartbeat",
    auth=NEVER_THROTTLED,
    response={200: Runtime, 422: Invalid, **UNTHROTTLED},
    summary="Heartbeat",
)
def send_heartbeat(request: EngineRequest, trader_id: str, body: Heartbeat) -> Runtime:
    """The engine lives. The answer says which configuration stands by now."""
    return _answer(runtime.heartbeat(trader_id=trader_id, **dict(body)))


@router.post(
    "/heartbeats",
    auth=NEVER_THROTTLED,
    response={200: HeartbeatsAnswer, 422: Invalid, **UNTHROTTLED},
    summary="Heartbeats of many traders",
)
def send_heartbeats(request: EngineRequest, body: Heartbeats) -> HeartbeatsAnswer:
    """In one request and one statement, each as the heartbeat of one trader. A trader is named once."""
    _require_once([beat.trader_id for beat in body.heartbeats])
    beats = [TraderBeat(**dict(beat)) for beat in body.heartbeats]
    hidden = [beat.trader_id for beat in beats if not request.auth.sees(beat.trader_id)]
    states, refused = runtime.heartbeats([beat for beat in beats if beat.trader_id not in hidden])
    refused |= {trader_id: UnknownConfig(trader_id) for trader_id in hidden}
    return HeartbeatsAnswer(
        runtimes=[_answer(state) for state in states],
        refused=[
            RefusedHeartbeat(trader_id=beat.trader_id, detail=str(refused[beat.trader_id]))
            for beat in beats
            if beat.trader_id in refused
        ],
    )


def _require_once(trader_ids: list[str]) -> None:
    twice = [place for place, name in enumerate(trader_ids) if name in trader_ids[:place]]
    if twice:
        raise InvalidConfig(
            Problem(f"heartbeats.{place}.trader_id", _("is given twice"), trader_ids[place]) for place in twice
        )


def _answer(state: RuntimeState) -> Runtime:
    return Runtime(**asdict(state), redacted=list(redactions_in(state.detail)))
