"""What an engine reports of a running trader, and its heartbeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, ClassVar

from ninja import Router
from pydantic import Field, model_validator

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, UNTHROTTLED, Invalid
from traders.api.wanted_answers import WantedAnswer, wanted_answers
from traders.api.wire import Answer, Body, Redacted, VersionNumber
from traders.runtime import services as runtime
from traders.runtime.unknown_fields import split
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.redaction import redactions_in
from traders.schema.runtime import ReportDetail, ReportExtra, RuntimeState, TraderBeat
from traders.schema.settings.declare import Boolean
from traders.schema.settings.trader import TraderId
from traders.schema.tokens import Scope
from traders.versions.rules.errors import UnknownConfig

router = Router(tags=["Running traders: write-state"], auth=TokenWith(Scope.WRITE_STATE))

MOST_HEARTBEATS = 1000
EXTRA, DETAIL = "extra", "detail"

NEVER_THROTTLED = TokenWith(Scope.WRITE_STATE, is_throttled=False)

RunVersion = Annotated[VersionNumber, Field(description="The version that the engine runs.")]


class RunningReport(Body):
    """Base of bodies that say how a trader runs. `own` are paths that the site writes: they are refused."""

    own: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _keep(cls, sent: Any) -> Any:
        if not isinstance(sent, Mapping):
            return sent
        known, aside = split(cls, sent, cls.own)
        return cls.with_extra(known, {path.removeprefix(f"{DETAIL}."): value for path, value in aside.items()})

    @classmethod
    def with_extra(cls, known: dict[str, Any], aside: dict[str, Any]) -> dict[str, Any]:
        """`known` with what was not known, where this body keeps it. What cannot be joined is left to be refused."""
        given = known.get(EXTRA)
        if not aside or not isinstance(given, Mapping | None):
            return known
        return {**known, EXTRA: {**(given or {}), **aside}}


class Report(RunningReport):
    own = frozenset({"detail.desired"})

    active_config_version: RunVersion
    is_running: Boolean
    detail: ReportDetail = ReportDetail()

    @classmethod
    def with_extra(cls, known: dict[str, Any], aside: dict[str, Any]) -> dict[str, Any]:
        detail = known.get(DETAIL, {})
        return {**known, DETAIL: super().with_extra(detail, aside)} if isinstance(detail, dict) else known


class Heartbeat(RunningReport):
    """What is left out stays as it was reported."""

    active_config_version: RunVersion | None = None
    is_running: Boolean | None = None
    extra: ReportExtra | None = Field(None, description="Whatever else the engine says; replaces `detail.extra`.")


class TraderHeartbeat(Heartbeat):
    trader_id: TraderId


class Heartbeats(Body):
    heartbeats: Annotated[list[TraderHeartbeat], Field(min_length=1, max_length=MOST_HEARTBEATS)]


class Runtime(WantedAnswer):
    """With `version` unlike `active_config_version` the engine runs a version that is not to run. `config_version` is
    the newest."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any] = Field(description="The last report, and a copy of what controls say.")
    updated_at: datetime
    config_version: int
    retired: bool
    redacted: Redacted
    kept: list[str] = Field(description="Fields that are not known; they are kept under `detail.extra`.")


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
    """The engine lives. The answer says which configuration is to run, what is wanted of the trader, and for how long
    it may open positions."""
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
        runtimes=_answers(states),
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
    (answer,) = _answers([state])
    return answer


def _answers(states: Sequence[RuntimeState]) -> list[Runtime]:
    wanted = wanted_answers([state.trader_id for state in states])
    return [
        Runtime(
            **asdict(state),
            **dict(wanted[state.trader_id]),
            redacted=list(redactions_in(state.detail)),
            kept=sorted(extra) if isinstance(extra := state.detail.get(EXTRA), dict) else [],
        )
        for state in states
    ]
