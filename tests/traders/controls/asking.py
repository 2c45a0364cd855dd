"""Asks for controls as a person does, in one short line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from traders.controls import services
from traders.controls.services import Asked, Written
from traders.controls.wanted import wanted_of_one
from traders.models import TraderRuntimeState
from traders.schema.controls.rows import ControlKind

TRADER = "steady_long"


def ask(kind: str, *trader_ids: str, actor: str = "mei", reason: str = "because", **given: Any) -> list[Written]:
    asked = Asked(reason=reason, actor=actor, **given)
    return services.control(ControlKind(kind), trader_ids or (TRADER,), asked)


def ask_fleet(kind: str, *, actor: str = "mei", **given: Any) -> list[Written]:
    return services.fleet_control(ControlKind(kind), reason="because", actor=actor, **given)


def effect(trader_id: str = TRADER, *, minutes: float = 0) -> str:
    """So many minutes from now. After a release each trader has begun within its interval."""
    return wanted_of_one(trader_id, in_minutes(minutes)).effect.value


def causes(trader_id: str = TRADER) -> list[str]:
    return [cause.kind.value for cause in wanted_of_one(trader_id).causes]


def copied(trader_id: str = TRADER) -> dict[str, Any]:
    """The whole `detail` of the runtime row."""
    detail: dict[str, Any] = TraderRuntimeState.objects.get(pk=trader_id).detail
    return detail


def in_minutes(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)
