"""Traders' states, read off the rows of the list and asked of the whole table by the filter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    DurationField,
    F,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import Greatest, Least

from traders.models import TraderConfig
from traders.runtime.rules import GRACE, LONGEST_DECISION, EngineReport, State, state_of
from traders.schema.runtime import as_reported


class _Seconds(Func):
    """A number of seconds as PostgreSQL's interval."""

    template = "make_interval(secs => %(expressions)s)"
    output_field = DurationField()


def state_of_trader(trader: TraderConfig, now: datetime) -> State:
    """`trader` with its runtime state joined."""
    runtime = trader.runtime_state
    return state_of(
        retired=trader.retired,
        version=trader.version,
        decision_interval_seconds=trader.decision_interval_seconds,
        report=EngineReport(
            active_version=runtime.active_config_version,
            is_running=runtime.is_running,
            paused_until=_paused_until(runtime.detail),
            reported_at=runtime.updated_at,
        ),
        now=now,
    )


def in_state(traders: QuerySet[TraderConfig], state: State, now: datetime) -> QuerySet[TraderConfig]:
    """Those in this state: `state_of` in SQL, but for pauses, which few traders have and engines write as text."""
    if state is State.PAUSED:
        return traders.filter(pk__in=_paused(now))
    found = traders.annotate(unpaused_state=_unpaused_state(now)).filter(unpaused_state=state.value)
    return found.exclude(pk__in=_paused(now)) if state in (State.RUNNING, State.OVERDUE, State.PENDING) else found


def _paused(now: datetime) -> list[str]:
    with_pause = TraderConfig.objects.select_related("runtime_state").filter(runtime_state__detail__has_key="pause")
    return [trader.id for trader in with_pause if state_of_trader(trader, now) is State.PAUSED]


def _unpaused_state(now: datetime) -> Case:
    expected = F("decision_interval_seconds") * 2 + Value(int(GRACE.total_seconds()))
    decides = Least(
        Greatest(F("decision_interval_seconds") / 2.0, Value(GRACE.total_seconds())),
        Value(LONGEST_DECISION.total_seconds()),
    )
    due, deadline = (
        ExpressionWrapper(F("runtime_state__updated_at") + _Seconds(seconds), DateTimeField())
        for seconds in (F("decision_interval_seconds") + decides, expected)
    )
    return Case(
        When(retired=True, then=Value(State.RETIRED.value)),
        When(runtime_state__active_config_version=None, then=Value(State.NOT_REPORTED.value)),
        When(_earlier(deadline, now), then=Value(State.STALE.value)),
        When(runtime_state__is_running=False, then=Value(State.STOPPED.value)),
        When(Q(runtime_state__active_config_version__lt=F("version")), then=Value(State.PENDING.value)),
        When(_earlier(due, now), then=Value(State.OVERDUE.value)),
        default=Value(State.RUNNING.value),
    )


def _earlier(moment: Any, now: datetime) -> Func:
    return Func(moment, Value(now), template="%(expressions)s", arg_joiner=" < ", output_field=BooleanField())


def _paused_until(detail: Any) -> datetime | None:
    """The engine's RFC 3339 text; what is none is no pause, nor is that of a ban, which no engine has reported."""
    try:
        moment = datetime.fromisoformat(as_reported(detail)["pause"]["until"])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
