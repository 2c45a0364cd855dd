"""Raises, acknowledges and ends alarms: for the record, the guards, the pages, the API and the watch alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from traders.runtime.redaction import mark
from traders.schema.messages import TranslatableText, _
from traders.schema.moments import LATEST
from traders.schema.problems import InvalidConfig, Problem, shown
from traders.schema.redaction import redact
from traders.schema.secrets import find_secret
from traders.schema.settings.declare import unprintable
from traders.words.kept_messages import kept_parameters, message_with
from trading.alarms import queries, writer
from trading.alarms.rules.catalogue import FLEET, RULES, AlarmName, Ending
from trading.alarms.rules.channels import Channel
from trading.models import Alarm

LONGEST_NAME = 150
"""Of whoever acknowledges."""
LONGEST_REASON = 1000


class UnknownAlarm(Exception):
    def __init__(self, alarm_id: int) -> None:
        super().__init__(f"There is no alarm {alarm_id}.")


class UnknownChannel(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no channel {name} that is on.")


def raise_alarm(
    rule: AlarmName,
    message: TranslatableText,
    *,
    subject: str = FLEET,
    traders: Collection[str] = (),
    figures: Mapping[str, Any] | None = None,
    adds_traders: bool = False,
    grows_by: Collection[str] = (),
) -> int | None:
    """Raises an alarm, or counts the open one of this rule and subject once more. None: the rule is switched off.

    Part of the caller's transaction: call it as its last step, for several subjects in their order. `subject` tells
    causes of one rule apart, such as `steady_long daily_loss`. `traders` (ids) take the place of those that the open
    alarm lists; `adds_traders` keeps them. `figures` are numbers and short texts by name. Secrets are redacted. An
    acknowledgement ends when a trader joins, or when one of the numbers named in `grows_by` is larger than before.
    """
    in_force = queries.rule_in_force(rule)
    severity = in_force.severity
    if severity is None:
        return None
    return writer.raised(
        rule=rule,
        subject=subject,
        severity=severity,
        message=message.msgid,
        parameters=kept_parameters(message, _clean),
        figures={name: _clean(value) if isinstance(value, str) else value for name, value in (figures or {}).items()},
        traders=traders,
        adds_traders=adds_traders,
        grows_by=grows_by,
        channels=lambda: _channels_for(severity),
    )


def end_alarm(rule: AlarmName, subject: str = FLEET, *, by: str = writer.CAUSE_IS_GONE) -> bool:
    """Ends the open alarm of this cause. False if there is none."""
    alarm = Alarm.objects.filter(rule=rule, subject=subject, ended_at__isnull=True).first()
    return alarm is not None and _end(alarm, by)


def acknowledge(alarm_id: int, *, by: str, until: datetime | None = None, reason: str = "") -> Alarm:
    """A page is not repeated any more, or not before `until`. An alarm about something that happened ends, unless
    `until` is given. An alarm that has ended stays as it is.

    `by` is the name that the log shows. Raises UnknownAlarm, InvalidConfig at `by`, `until` or `reason`.
    """
    by, reason = by.strip(), reason.strip()
    if problems := [*_name_problems(by), *_until_problems(until), *_reason_problems(reason)]:
        raise InvalidConfig(problems)
    alarm = stored(alarm_id)
    if alarm.ended_at is None and writer.acknowledge(alarm_id, by, until, reason or None):
        ending = ending_of(alarm)
        if ending is Ending.BY_PERSON and until is None:
            _end(alarm, by)
    alarm.refresh_from_db()
    return alarm


def test_channel(name: str, *, by: str) -> int:
    """Sends a test through the outbox to this channel alone, which must be on; the id of its alarm, which has ended
    already. Raises UnknownChannel."""
    channel = next((one for one in queries.channels() if one.name == name), None)
    if channel is None:
        raise UnknownChannel(name)
    return writer.tested(channel, _("%(who)s tested the channel %(channel)s", who=by, channel=name), by)


def stored(alarm_id: int) -> Alarm:
    """Raises UnknownAlarm."""
    found = Alarm.objects.filter(pk=alarm_id).first()
    if found is None:
        raise UnknownAlarm(alarm_id)
    return found


def message_of(alarm: Alarm) -> TranslatableText:
    return message_with(alarm.message, alarm.parameters)


def ending_of(alarm: Alarm) -> Ending:
    """An alarm of a rule that this release does not know is ended by a person."""
    known = alarm.rule in list(AlarmName)
    return RULES[AlarmName(alarm.rule)].ending if known else Ending.BY_PERSON


def _end(alarm: Alarm, by: str) -> bool:
    return writer.end(alarm.pk, by, lambda: _channels_for(alarm.severity))


def _channels_for(severity: str) -> list[Channel]:
    return [channel for channel in queries.channels() if channel.takes(severity)]


def _clean(text: str) -> str:
    return redact(text, mark)[0]


def _name_problems(by: str) -> list[Problem]:
    if not 1 <= len(by) <= LONGEST_NAME or unprintable(by) is not None:
        right = _("must be a name of 1 to %(most)s characters", most=LONGEST_NAME)
        return [Problem("by", _("%(right)s, was %(value)s", right=right, value=shown(by)))]
    if kind := find_secret(by):
        return [Problem("by", _("looks like %(kind)s: the log shows this name", kind=kind))]
    return []


def _reason_problems(reason: str) -> list[Problem]:
    if len(reason) > LONGEST_REASON or unprintable(reason) is not None:
        right = _("must be a text of at most %(most)s characters", most=LONGEST_REASON)
        return [Problem("reason", _("%(right)s, was %(value)s", right=right, value=shown(reason)))]
    if kind := find_secret(reason):
        return [Problem("reason", _("looks like %(kind)s: pages show this reason", kind=kind))]
    return []


def _until_problems(until: datetime | None) -> list[Problem]:
    if until is None or timezone.now() < until <= LATEST:
        return []
    return [Problem("until", _("must be in the future, was %(value)s", value=until.isoformat(timespec="seconds")))]
