"""Cooldowns of symbols."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid
from traders.api.wire import Answer, Body, Redacted
from traders.runtime.cooldowns import services as cooldowns
from traders.runtime.spelling import spelled
from traders.schema.redaction import redactions_in
from traders.schema.runtime import Cooldown, CooldownDetail, StoredMoment
from traders.schema.symbols import Symbol
from traders.schema.tokens import Scope

router = Router(tags=["Running traders: write-state"], auth=TokenWith(Scope.WRITE_STATE))


class NewCooldown(Body):
    symbol: Symbol
    cooldown_until: StoredMoment = Field(description="No new entry in the symbol until then.")
    detail: CooldownDetail = CooldownDetail()


class CooldownAnswer(Answer):
    trader_id: str
    symbol: str
    cooldown_until: datetime
    detail: dict[str, Any]
    redacted: Redacted


class CooldownList(Answer):
    cooldowns: list[CooldownAnswer]


@router.get(
    "/traders/{trader_id}/cooldowns",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response={200: CooldownList, **REFUSALS},
    summary="Cooldowns that hold",
)
def list_cooldowns(request: EngineRequest, trader_id: str) -> CooldownList:
    return CooldownList(cooldowns=[_answer(found) for found in cooldowns.holding(trader_id)])


@router.put(
    "/traders/{trader_id}/cooldowns", response={200: CooldownAnswer, 422: Invalid, **REFUSALS}, summary="Set a cooldown"
)
def set_cooldown(request: EngineRequest, trader_id: str, body: NewCooldown) -> CooldownAnswer:
    """Extends the symbol's cooldown. One that ends later stays, and so does what a person has set or cleared since the
    engine knew of this one. The answer is what holds after it."""
    symbol = spelled(trader_id, body.symbol)
    return _answer(cooldowns.extend(trader_id=trader_id, symbol=symbol, until=body.cooldown_until, detail=body.detail))


def _answer(stored: Cooldown) -> CooldownAnswer:
    return CooldownAnswer(**asdict(stored), redacted=list(redactions_in(stored.detail)))
