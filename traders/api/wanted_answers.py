"""What is wanted of a trader, and a control, as they are answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from pydantic import Field

from traders.api.config_answers import Config
from traders.api.wire import Answer
from traders.controls.rules import CauseKind, WantedEffect, WantedState, state_json, state_kind
from traders.controls.wanted import wanted_of
from traders.schema.controls.rows import Control, ControlKind
from traders.versions import services as configs

ENTRIES_ALLOWED = (
    "For so many seconds from the answer on the engine may open positions; 0: not. An engine that hears nothing opens "
    "nothing once they are over."
)
IN_FORCE = "The version that is to run: the pinned one, else the newest."


class CauseAnswer(Answer):
    kind: CauseKind
    text: str
    control_id: int | None
    until: datetime | None


class CloseAnswer(Answer):
    """Positions that are to be closed, each by its id and entry, reduce-only, until `until`; none that is newer."""

    control_id: int
    symbol: str | None
    until: datetime | None
    reduce_only: Literal[True]
    positions: list[dict[str, Any]]


class Desired(Answer):
    """`state`: "running"; "entries_banned": no open, increase or flip, resting entry orders are cancelled, stop and
    target orders stay; "stopped": no cycles, orders at the exchange stay. `causes` say why, the most restrictive first;
    `by`, `at` and `reason` are of the first that somebody asked for. `version` is the pinned one."""

    state: WantedEffect
    by: str | None
    at: datetime | None
    reason: str | None
    run: Literal["start", "stop", "drain"] | None
    causes: list[CauseAnswer]
    version: int | None
    closes: list[CloseAnswer]
    control_id: int | None = Field(description="The newest control that concerns the trader.")


class ControlAnswer(Answer):
    """`trader_id` null: the fleet. `cause` is whose pauses are meant: "operator" or "guard:{name}"."""

    kind: Literal["control"] = "control"
    control_id: int
    trader_id: str | None
    control: ControlKind
    until: datetime | None
    version: int | None
    symbol: str | None
    cause: str | None
    reason: str
    actor: str
    at: datetime
    detail: dict[str, Any]


class ControlChange(ControlAnswer):
    """A control among the changes. A pin and an unpin bring the version that is to run by now."""

    config: Config | None


class WantedAnswer(Answer):
    """What is wanted of a trader by now."""

    desired: Desired
    version: int = Field(description=IN_FORCE)
    entries_allowed_for_s: int = Field(description=ENTRIES_ALLOWED)


def wanted_answers(trader_ids: Collection[str] | None) -> dict[str, WantedAnswer]:
    """{trader_id: answer} of those of these that are traders; None: of all."""
    numbers = configs.newest_numbers(trader_ids)
    states = wanted_of(numbers)
    kinds = {trader_id: state_kind(state) for trader_id, state in states.items()}
    # Of a whole fleet the same is wanted mostly.
    different = {kinds[trader_id]: state for trader_id, state in states.items()}
    shared = {kind: (desired_of(state), entries_allowed_for(state)) for kind, state in different.items()}
    found = {}
    for trader_id, state in states.items():
        desired, seconds = shared[kinds[trader_id]]
        version = state.pinned_version or numbers[trader_id]
        found[trader_id] = WantedAnswer(desired=desired, version=version, entries_allowed_for_s=seconds)
    return found


def desired_of(state: WantedState) -> Desired:
    return Desired(**state_json(state))


def entries_allowed_for(state: WantedState) -> int:
    """Seconds."""
    return settings.ENTRIES_ALLOWED_SECONDS if state.entries_allowed else 0


def control_of(control: Control) -> ControlAnswer:
    return ControlAnswer(**control_facts(control))


def control_facts(control: Control) -> dict[str, Any]:
    return {
        "control_id": control.id,
        "trader_id": control.trader_id,
        "control": control.kind,
        "until": control.until,
        "version": control.version,
        "symbol": control.symbol,
        "cause": control.cause,
        "reason": control.reason,
        "actor": control.actor,
        "at": control.at,
        "detail": dict(control.detail),
    }
