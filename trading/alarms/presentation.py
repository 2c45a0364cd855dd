"""How pages show alarms: words, marks, and the part of the top bar."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from traders.words.messages import translated, with_value
from traders.words.moments import clock_words
from traders.words.settings import number, rough_duration
from traders.words.zones import exact
from trading.alarms import queries, services
from trading.alarms.rules.catalogue import RULES, AlarmName, AlarmRule, Severity
from trading.export.status import alarms as alarm_status
from trading.models import Alarm

_SECONDS = {"_ms": Decimal("0.001"), "_s": Decimal(1), "_h": Decimal(3600)}
"""Of the unit with which the name of a figure ends."""
UNWATCHED_SECONDS = 300
"""After so long without a look the pages say that nobody watches."""


class AlarmState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


def state_of(alarm: Alarm, now: datetime) -> AlarmState:
    if alarm.ended_at is not None:
        return AlarmState.ENDED
    until = alarm.acknowledged_until
    is_acknowledged = alarm.acknowledged_at is not None and (until is None or until > now)
    return AlarmState.ACKNOWLEDGED if is_acknowledged else AlarmState.OPEN


def state_now(alarm: Alarm) -> AlarmState:
    return state_of(alarm, timezone.now())


def state_words() -> dict[AlarmState, str]:
    return {
        AlarmState.OPEN: pgettext("alarm", "open"),
        AlarmState.ACKNOWLEDGED: _("acknowledged"),
        AlarmState.ENDED: _("ended"),
    }


_MARKS = {
    AlarmState.OPEN: ("state-stopped", "notifications_active"),
    AlarmState.ACKNOWLEDGED: ("state-paused", "how_to_reg"),
    AlarmState.ENDED: ("", "check_circle"),
}


def state_mark(alarm: Alarm, now: datetime) -> SafeString:
    state = state_of(alarm, now)
    css, icon = _MARKS[state]
    if state is AlarmState.OPEN and alarm.severity != "page":
        css = "state-stale"
    return format_html(
        '<span class="state {}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        css,
        icon,
        state_words()[state],
    )


def severity_words() -> dict[str, str]:
    return {
        Severity.PAGE: pgettext("severity", "page"),
        Severity.NOTIFY: pgettext("severity", "notice"),
        Severity.SHOW: _("shown only"),
    }


def severity_mark(severity: str) -> SafeString:
    words = severity_words().get(severity, severity)
    return format_html('<span class="tag{}">{}</span>', " wrong" if severity == "page" else "", words)


def event_words(event: str) -> str:
    """What a delivery is about."""
    known = {
        "raised": pgettext("delivery", "raised"),
        "repeated": pgettext("delivery", "repeated"),
        "ended": pgettext("delivery", "ended"),
        "test": pgettext("delivery", "test"),
    }
    return known.get(event, event)


def delivery_words(status: str) -> str:
    known = {
        "waiting": pgettext("delivery", "waiting"),
        "sent": pgettext("delivery", "sent"),
        "failed": pgettext("delivery", "failed"),
        "cancelled": pgettext("delivery", "cancelled"),
    }
    return known.get(status, status)


def rule_of(name: str) -> AlarmRule | None:
    """None: a rule that this release does not know."""
    return RULES[AlarmName(name)] if name in list(AlarmName) else None


def rule_words(name: str) -> str:
    rule = rule_of(name)
    return translated(rule.label) if rule else name


def message_words(alarm: Alarm) -> str:
    return translated(services.message_of(alarm))


def figure_shown(name: str, value: Any) -> tuple[str, str]:
    """(label, value) of a figure of an alarm, in words; one that is not known as programs name it."""
    known = {
        **dict.fromkeys(("age_h", "age_s"), _("age")),
        **dict.fromkeys(("oldest_h", "oldest_s"), pgettext("how long ago", "oldest")),
        "ahead_ms": _("ahead by"),
        "change_set": _("change set"),
        "closes": _("closes"),
        "configurations": _("configurations"),
        "conflicts": _("conflicts"),
        "decision_journal": _("decisions"),
        "differences": _("differences"),
        "entries": _("entries"),
        "failed": _("failed"),
        "net_pnl_usd": _("net P&L, USD"),
        "newest_ms": pgettext("a moment", "newest"),
        "open_positions": _("open positions"),
        "positions": _("positions"),
        "refused": _("refused records"),
        "restarts": _("restarts"),
        "settings": _("settings"),
        "traders": _("traders"),
        "trades": _("trades"),
        "youngest_price_s": _("youngest price"),
    }
    label = known.get(name) or format_html('<code translate="no">{}</code>', name)
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return label, str(value)
    if name == "newest_ms":
        return label, exact(datetime.fromtimestamp(int(value) / 1000, UTC))
    seconds = next((size for ending, size in _SECONDS.items() if name in known and name.endswith(ending)), None)
    return label, number(value) if seconds is None else rough_duration(round(value * seconds))


def acknowledged_words(alarm: Alarm, now: datetime) -> str:
    """`acknowledged by mei until 14:00: looks at it`; empty where it was never acknowledged."""
    if alarm.acknowledged_at is None:
        return ""
    until = alarm.acknowledged_until
    told = {"who": alarm.acknowledged_by, "until": clock_words(until, now) if until else ""}
    if until is None:
        said = _("acknowledged by %(who)s") % told
    elif until > now:
        said = _("acknowledged by %(who)s until %(until)s") % told
    else:
        said = _("was acknowledged by %(who)s until %(until)s") % told
    return with_value(said, alarm.acknowledged_reason) if alarm.acknowledged_reason else said


def unwatched() -> SafeString | str:
    """What to say where no process has looked for a while; empty: one has."""
    status = alarm_status.read(settings.EXPORT_DIR)
    if status is not None and time.time() - status.at <= UNWATCHED_SECONDS:
        return ""
    said = _("No process watches this site: alarms are not sent. Run {make}, or {command}.")
    return format_html(said, make=_code("make run"), command=_code("manage.py send_alarms"))


def _code(command: str) -> SafeString:
    return format_html("<code>{}</code>", command)


def top_bar(request: HttpRequest) -> SafeString | str:
    """How many pages are open, in red while nobody has acknowledged one of them."""
    if not request.user.has_perm("trading.view_alarm"):
        return ""
    counts = queries.open_counts(timezone.now())
    if not counts.pages:
        return ""
    words = ngettext("%(n)d alarm", "%(n)d alarms", counts.pages) % {"n": counts.pages}
    css = " wrong" if counts.unacknowledged else ""
    url = reverse("admin:trading_alarm_changelist") + "?severity=page&state=lasting"
    return format_html('<a class="tag alarms{}" href="{}">{}</a>', css, url, words)
