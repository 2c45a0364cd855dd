"""An alarm as each kind of channel takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from traders.schema.jsonio import dumps
from trading.alarms import links
from trading.alarms.rules.catalogue import RULES, AlarmName
from trading.alarms.rules.channels import FEISHU, SLACK
from trading.alarms.services import message_of
from trading.alarms.writer import ENDED, REPEATED, TEST
from trading.models import Alarm

MOST_TRADERS_NAMED = 20
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)")
PREFIXES = ("ALARM_", "ALERT_", "NOF0_ALARM_", "NOF0_ALERT_")
"""Of the variables that channels may name (`ALARM_SECRETS`)."""
_HEADS = {ENDED: "ENDED", REPEATED: "STILL OPEN", TEST: "TEST"}


class NoSecret(Exception):
    """A variable that a channel names is not set, or may not be used."""


def expanded(address: str) -> str:
    """The address with the secrets that it names. Raises NoSecret."""
    return _VARIABLE.sub(lambda found: secret(found[1] or found[2]), address)


def secret(name: str) -> str:
    """Raises NoSecret."""
    found = settings.ALARM_SECRETS.get(name)
    if not found:
        raise NoSecret(f"the variable {name} is not set, or its name does not begin with {' or '.join(PREFIXES)}")
    return str(found)


def label_of(alarm: Alarm) -> str:
    return str(RULES[AlarmName(alarm.rule)].label) if alarm.rule in list(AlarmName) else alarm.rule


def headline(alarm: Alarm, event: str) -> str:
    """`[PAGE] Guard fired: steady_long`, in one line."""
    return f"[{_HEADS.get(event, alarm.severity.upper())}] {label_of(alarm)}: {alarm.subject}"


def text(alarm: Alarm, event: str) -> str:
    """For people: what happened, since when, who is concerned, and where to acknowledge."""
    lines = [headline(alarm, event), str(message_of(alarm))]
    lines.append(f"Since {_moment(alarm.first_at)}, seen {alarm.count} times.")
    if alarm.traders:
        named = ", ".join(alarm.traders[:MOST_TRADERS_NAMED])
        more = len(alarm.traders) - MOST_TRADERS_NAMED
        lines.append(f"Traders: {named}" + (f" and {more} more" if more > 0 else ""))
    if event == TEST:
        return "\n".join(lines)
    if alarm.ended_at is not None:
        lines.append(f"Ended {_moment(alarm.ended_at)}.")
        return "\n".join(lines)
    if alarm.rule in list(AlarmName):
        lines.append(str(RULES[AlarmName(alarm.rule)].advice))
    if page := links.page_url(alarm.pk):
        lines.append(f"Alarm: {page}")
    if link := links.acknowledge_url(alarm.pk):
        lines.append(f"Acknowledge: {link}")
    return "\n".join(lines)


def body_of(kind: str, alarm: Alarm, event: str) -> bytes:
    """The JSON of a webhook, Slack or Feishu."""
    if kind == SLACK:
        return dumps({"text": _escaped(text(alarm, event))}).encode()
    if kind == FEISHU:
        return dumps({"msg_type": "text", "content": {"text": text(alarm, event)}}).encode()
    return dumps(_object(alarm, event)).encode()


def _object(alarm: Alarm, event: str) -> Mapping[str, Any]:
    data = {
        "id": alarm.pk,
        "rule": alarm.rule,
        "label": label_of(alarm),
        "subject": alarm.subject,
        "severity": alarm.severity,
        "message": str(message_of(alarm)),
        "figures": alarm.figures,
        "traders": alarm.traders,
        "first_at": alarm.first_at.isoformat(),
        "last_at": alarm.last_at.isoformat(),
        "count": alarm.count,
        "acknowledged_by": alarm.acknowledged_by,
        "ended_at": alarm.ended_at.isoformat() if alarm.ended_at else None,
        "url": links.page_url(alarm.pk),
        "acknowledge_url": "" if alarm.ended_at else links.acknowledge_url(alarm.pk),
    }
    return {"type": f"alarm.{event}", "timestamp": timezone.now().isoformat(), "data": data}


def _escaped(words: str) -> str:
    """Slack reads these three as markup."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
