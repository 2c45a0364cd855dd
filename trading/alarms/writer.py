"""Writes alarms and the outbox of their messages, in the transaction of what caused them.

Raising an alarm locks the open alarm of its cause until the transaction ends. Callers raise as the last step of their
transaction and in order of subject, so that no two wait for each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from traders.database import sql
from traders.schema.jsonio import dumps
from traders.schema.messages import TranslatableText
from trading.alarms.rules.catalogue import AlarmName, Severity
from trading.alarms.rules.channels import Channel
from trading.models import Alarm, AlarmDelivery

CAUSE_IS_GONE = "@cause"
"""Stands in `ended_by`; no account can have this name."""
RAISED, REPEATED, ENDED, TEST = "raised", "repeated", "ended", "test"
WAITING, SENT, FAILED, CANCELLED = "waiting", "sent", "failed", "cancelled"

# Two sessions that raise one cause at once: the second waits for the first and finds its alarm. An acknowledged
# alarm stays acknowledged, until its cause changes: a trader more, or a larger figure of those that tell its size.
_RAISE = """
INSERT INTO alarms AS a (rule, subject, severity, message, parameters, figures, traders)
VALUES (%(rule)s, %(subject)s, %(severity)s, %(message)s, %(parameters)s, %(figures)s, %(traders)s)
ON CONFLICT (rule, subject) WHERE ended_at IS NULL DO UPDATE
   SET message = excluded.message, parameters = excluded.parameters, figures = excluded.figures,
       severity = excluded.severity, last_at = clock_timestamp(), count = a.count + 1,
       acknowledged_until = CASE
           WHEN a.acknowledged_at IS NOT NULL AND coalesce(a.acknowledged_until > clock_timestamp(), true)
            AND (NOT a.traders @> excluded.traders
                 OR EXISTS (SELECT FROM unnest(%(grows_by)s::text[]) AS name
                             WHERE (excluded.figures ->> name)::numeric > coalesce((a.figures ->> name)::numeric, 0)))
           THEN clock_timestamp() ELSE a.acknowledged_until END,
       traders = CASE WHEN %(adds_traders)s
                      THEN ARRAY(SELECT DISTINCT unnest(a.traders || excluded.traders) ORDER BY 1)
                      ELSE excluded.traders END
RETURNING id, count = 1 AS is_new
"""


@contextmanager
def on_its_own() -> Iterator[None]:
    """What fails inside writes nothing, and leaves the connection usable."""
    with transaction.atomic():
        yield


def raised(
    *,
    rule: AlarmName,
    subject: str,
    severity: Severity,
    message: str,
    parameters: Mapping[str, Any],
    figures: Mapping[str, Any],
    traders: Collection[str],
    adds_traders: bool,
    grows_by: Collection[str],
    channels: Callable[[], Iterable[Channel]],
) -> int:
    """The id of the cause's open alarm. A new one gets a message for each of `channels`. `adds_traders`: to those that
    it lists already. `grows_by` names numbers of `figures`."""
    values = {
        "rule": rule.value,
        "subject": subject,
        "severity": severity.value,
        "message": message,
        "parameters": dumps(dict(parameters)),
        "figures": dumps(dict(figures)),
        "traders": sorted(set(traders)),
        "adds_traders": adds_traders,
        "grows_by": list(grows_by),
    }
    with transaction.atomic():
        (row,) = sql.rows(_RAISE, values)
        if row.is_new:
            enqueue(row.id, RAISED, channels())
    return int(row.id)


def enqueue(alarm_id: int, event: str, channels: Iterable[Channel]) -> None:
    """A message of the alarm for each of the channels. Its id is random, so that a restored backup reuses none."""
    AlarmDelivery.objects.bulk_create(
        [
            AlarmDelivery(alarm_id=alarm_id, channel=channel.name, event=event, message_id=f"msg_{uuid.uuid4().hex}")
            for channel in channels
        ]
    )


def tested(channel: Channel, message: TranslatableText, by: str) -> int:
    """An alarm that has ended already, with a message for this channel."""
    with transaction.atomic():
        alarm = Alarm.objects.create(
            rule=AlarmName.TEST,
            subject=channel.name,
            severity=Severity.NOTIFY,
            message=message.msgid,
            parameters=message.params,
            ended_at=Now(),
            ended_by=by,
        )
        enqueue(alarm.pk, TEST, [channel])
    return int(alarm.pk)


def acknowledge(alarm_id: int, by: str, until: datetime | None, reason: str | None) -> bool:
    """False if the alarm has ended. Repeats that wait are cancelled; whoever acknowledges last stands in the row."""
    with transaction.atomic():
        found = Alarm.objects.filter(pk=alarm_id, ended_at__isnull=True)
        if not found.update(
            acknowledged_by=by, acknowledged_at=Now(), acknowledged_until=until, acknowledged_reason=reason
        ):
            return False
        _cancel_repeats(alarm_id)
        return True


def end(alarm_id: int, by: str, channels: Callable[[], Iterable[Channel]]) -> bool:
    """False if it has ended already. Tells `channels`; a first message that still waits goes out before that."""
    with transaction.atomic():
        if not Alarm.objects.filter(pk=alarm_id, ended_at__isnull=True).update(ended_at=Now(), ended_by=by):
            return False
        _cancel_repeats(alarm_id)
        enqueue(alarm_id, ENDED, channels())
        return True


def _cancel_repeats(alarm_id: int) -> None:
    waiting = AlarmDelivery.objects.filter(alarm_id=alarm_id, event=REPEATED, status=WAITING)
    waiting.update(status=CANCELLED, done_at=Now())
