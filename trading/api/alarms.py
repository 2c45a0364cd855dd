"""Alarms for tools: what is open, and acknowledging one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router
from pydantic import AwareDatetime, Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Refusal
from traders.api.wire import Answer, Body
from traders.schema.tokens import Scope, Token
from trading.alarms import presentation, services
from trading.alarms.presentation import AlarmState
from trading.alarms.services import UnknownAlarm
from trading.models import Alarm

router = Router(tags=["Alarms"])

MOST_ALARMS = 1000


class AlarmAnswer(Answer):
    """`figures` are by name; `ended_by` is `@cause` where the cause was gone."""

    id: int
    rule: str
    subject: str
    severity: str
    state: AlarmState
    message: str
    figures: dict[str, Any]
    traders: list[str]
    first_at: datetime
    last_at: datetime
    count: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_until: datetime | None
    acknowledged_reason: str | None
    ended_at: datetime | None
    ended_by: str | None


class AlarmsAnswer(Answer):
    """`next_before` is where the next page begins, null on the last."""

    alarms: list[AlarmAnswer]
    next_before: int | None


class AcknowledgeBody(Body):
    until: AwareDatetime | None = Field(None, description="A page is repeated again from then on; left out: never.")
    reason: str = Field("", description="Pages show it beside the name.", max_length=services.LONGEST_REASON)


@router.get(
    "/alarms",
    auth=TokenWith(Scope.READ_CONFIG, Scope.WRITE_STATE),
    response={200: AlarmsAnswer, **REFUSALS},
    summary="List alarms",
)
def open_alarms(
    request: EngineRequest,
    state: Literal["lasting", "all"] = Query("lasting", description="lasting: those that have not ended"),  # type: ignore[type-arg]
    before: int | None = Query(None, ge=1, description="Those with a lower id"),  # type: ignore[type-arg]
    limit: int = Query(100, ge=1, le=MOST_ALARMS),  # type: ignore[type-arg]
) -> AlarmsAnswer:
    """Newest first. A token that is limited to traders sees the alarms that concern no others."""
    found = Alarm.objects.order_by("-pk")
    if request.auth.trader_ids is not None:
        found = found.filter(traders__len__gte=1, traders__contained_by=sorted(request.auth.trader_ids))
    if state == "lasting":
        found = found.filter(ended_at__isnull=True)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: limit + 1])
    more = len(page) > limit
    return AlarmsAnswer(alarms=[_answer(row) for row in page[:limit]], next_before=page[limit - 1].pk if more else None)


@router.post(
    "/alarms/{alarm_id}/ack",
    auth=TokenWith(Scope.CONTROL),
    response={200: AlarmAnswer, **REFUSALS, 404: Refusal},
    summary="Acknowledge an alarm",
)
def acknowledge_alarm(request: EngineRequest, alarm_id: int, body: AcknowledgeBody) -> AlarmAnswer:
    """The log names the token. An alarm that has ended stays as it is."""
    if not _sees(request.auth, services.stored(alarm_id)):
        raise UnknownAlarm(alarm_id)
    return _answer(services.acknowledge(alarm_id, by=request.auth.actor, until=body.until, reason=body.reason))


def _sees(token: Token, alarm: Alarm) -> bool:
    return token.trader_ids is None or (bool(alarm.traders) and set(alarm.traders) <= token.trader_ids)


def _answer(row: Alarm) -> AlarmAnswer:
    return AlarmAnswer(
        id=row.pk,
        rule=row.rule,
        subject=row.subject,
        severity=row.severity,
        state=presentation.state_now(row),
        message=str(services.message_of(row)),
        figures=row.figures,
        traders=row.traders,
        first_at=row.first_at,
        last_at=row.last_at,
        count=row.count,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        acknowledged_until=row.acknowledged_until,
        acknowledged_reason=row.acknowledged_reason,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
