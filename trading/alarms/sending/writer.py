"""Takes deliveries out of the outbox, and notes what became of them.

A delivery is taken for LEASE_SECONDS: whoever dies while sending leaves it to be sent again, with the same message id.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from traders.database import sql
from trading.alarms import queries
from trading.alarms.rules.catalogue import RULES, AlarmName, Ending, Severity
from trading.alarms.rules.channels import Channel
from trading.alarms.rules.pace import GIVE_UP_SECONDS, pause_seconds
from trading.alarms.writer import CANCELLED, CAUSE_IS_GONE, FAILED, REPEATED, SENT, WAITING, enqueue
from trading.models import Alarm, AlarmDelivery

LEASE_SECONDS = 60
NOTICE_ENDS_AFTER = timedelta(days=1)
"""A `notify` about something that happened, which nobody acknowledged."""
MOST_ERROR_CHARACTERS = 300

# Messages about one alarm go to a channel in their order. SKIP LOCKED: another sender has just taken that row.
_TAKE = f"""
UPDATE alarm_deliveries SET attempts = attempts + 1,
       next_at = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
 WHERE id = (SELECT id FROM alarm_deliveries AS d
              WHERE channel = %(channel)s AND status = 'waiting' AND next_at <= clock_timestamp()
                AND NOT EXISTS (SELECT FROM alarm_deliveries AS e
                                 WHERE e.alarm_id = d.alarm_id AND e.channel = d.channel AND e.status = 'waiting'
                                   AND e.id < d.id)
              ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, alarm_id, event, message_id, attempts, created_at
"""


@dataclass(frozen=True, slots=True)
class TakenDelivery:
    id: int
    alarm_id: int
    event: str
    message_id: str
    attempts: int
    created_at: datetime


def take(channel: str) -> TakenDelivery | None:
    """The next delivery that is due on the channel, for LEASE_SECONDS; None: none is."""
    return next(iter(sql.rows_as(TakenDelivery, _TAKE, {"channel": channel})), None)


def sent(taken: TakenDelivery) -> None:
    _waiting(taken).update(status=SENT, done_at=Now(), error=None)


def not_sent(taken: TakenDelivery, why: str) -> None:
    """It is tried again later, and after GIVE_UP_SECONDS no more."""
    now, why = timezone.now(), why[:MOST_ERROR_CHARACTERS]
    if (now - taken.created_at).total_seconds() >= GIVE_UP_SECONDS:
        _waiting(taken).update(status=FAILED, done_at=now, error=why)
        return
    pause = pause_seconds(taken.attempts, random.random())
    _waiting(taken).update(next_at=now + timedelta(seconds=pause), error=why)


def repeat_pages(channels: Collection[Channel]) -> int:
    """Sends open pages that nobody acknowledged again; how many messages that made. Call by one sender at a time."""
    now = timezone.now()
    due = now - timedelta(seconds=settings.ALARM_REPEAT_SECONDS)
    made = 0
    for alarm in queries.open_pages(now).filter(first_at__lte=due):
        with transaction.atomic():
            recent = AlarmDelivery.objects.filter(Q(created_at__gt=due) | Q(status=WAITING), alarm=alarm)
            told = set(recent.values_list("channel", flat=True))
            again = [channel for channel in channels if channel.name not in told]
            enqueue(alarm.pk, REPEATED, again)
            made += len(again)
    return made


def cancel_for_others(channels: Iterable[Channel]) -> int:
    """What waits for a channel that was switched off or deleted."""
    names = [channel.name for channel in channels]
    waiting = AlarmDelivery.objects.filter(status=WAITING).exclude(channel__in=names)
    return waiting.update(status=CANCELLED, done_at=Now(), error="the channel is off or was deleted")


def end_old_notices() -> int:
    """Alarms that tell of something that happened, and are no pages, end by themselves after a day."""
    rules = [name for name in AlarmName if RULES[name].ending is Ending.BY_PERSON]
    old = Alarm.objects.filter(
        rule__in=rules,
        severity=Severity.NOTIFY,
        ended_at__isnull=True,
        last_at__lte=timezone.now() - NOTICE_ENDS_AFTER,
    )
    return old.update(ended_at=Now(), ended_by=CAUSE_IS_GONE)


def _waiting(taken: TakenDelivery) -> QuerySet[AlarmDelivery]:
    return AlarmDelivery.objects.filter(pk=taken.id, status=WAITING)
