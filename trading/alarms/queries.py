"""What is stored of alarms, their channels and the rules that a site changed. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from traders.database import sql
from traders.models import ManagerConfig
from trading.alarms.rules.catalogue import RULES, AlarmName, AlarmRule, Severity
from trading.alarms.rules.channels import FLEET_CHANNEL, FLEET_SECRET, WEBHOOK, Channel
from trading.models import Alarm, AlarmChannel, AlarmRuleChange

_COUNTS = """
SELECT count(*) FILTER (WHERE severity = 'page') AS pages,
       count(*) FILTER (WHERE severity = 'page' AND (acknowledged_at IS NULL OR acknowledged_until <= %s))
           AS unacknowledged,
       count(*) FILTER (WHERE severity = 'notify') AS notices
  FROM alarms WHERE ended_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """How many are open: pages, those of them that nobody has acknowledged, and notices."""

    pages: int
    unacknowledged: int
    notices: int


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule as this site wants it. `severity` None: switched off. `paths` empty: as the rule says."""

    rule: AlarmRule
    severity: Severity | None
    threshold: Decimal
    paths: tuple[str, ...] = ()


def rule_in_force(name: AlarmName) -> RuleInForce:
    return _in_force(RULES[name], AlarmRuleChange.objects.filter(pk=name).first())


def rules_in_force() -> Mapping[AlarmName, RuleInForce]:
    changes = AlarmRuleChange.objects.in_bulk()
    return {name: _in_force(rule, changes.get(name)) for name, rule in RULES.items()}


def channels() -> list[Channel]:
    """Those that are on, in order of name; the fleet's own among them if its settings name one."""
    found = [_channel(row) for row in AlarmChannel.objects.filter(is_on=True).order_by("name")]
    fleets = _fleet_channel()
    return [*found, fleets] if fleets else found


def _channel(row: AlarmChannel) -> Channel:
    return Channel(row.name, row.kind, row.address, row.secret, row.pages_only)


def _fleet_channel() -> Channel | None:
    address = fleet_webhook()
    return Channel(FLEET_CHANNEL, WEBHOOK, address, FLEET_SECRET) if address else None


def fleet_webhook() -> str:
    """The address in the fleet's settings, empty where there is none."""
    row = ManagerConfig.objects.first()
    monitoring: Any = row.detail.get("monitoring") if row else None
    address = monitoring.get("alert_webhook") if isinstance(monitoring, dict) else ""
    return address if isinstance(address, str) else ""


def is_unacknowledged(now: datetime) -> Q:
    return Q(acknowledged_at__isnull=True) | Q(acknowledged_until__lte=now)


def open_pages(now: datetime) -> QuerySet[Alarm]:
    """Open pages that nobody has acknowledged."""
    return Alarm.objects.filter(is_unacknowledged(now), ended_at__isnull=True, severity=Severity.PAGE)


def open_counts(now: datetime) -> OpenAlarms:
    return sql.rows_as(OpenAlarms, _COUNTS, [now])[0]


def open_subjects(name: AlarmName) -> set[str]:
    return set(Alarm.objects.filter(rule=name, ended_at__isnull=True).values_list("subject", flat=True))


def told_figures(name: AlarmName, subjects: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """{subject: the figures of its newest alarm of this rule, ended or not}, of those that had one."""
    found = Alarm.objects.filter(rule=name, subject__in=subjects).order_by("subject", "-id").distinct("subject")
    return {row.subject: row.figures for row in found}


def _in_force(rule: AlarmRule, change: AlarmRuleChange | None) -> RuleInForce:
    threshold = rule.threshold.default if rule.threshold else Decimal(0)
    if change is None:
        return RuleInForce(rule, rule.severity, threshold)
    severity = rule.severity if change.severity is None else _severity(change.severity)
    return RuleInForce(rule, severity, threshold if change.threshold is None else change.threshold, tuple(change.paths))


def _severity(word: str) -> Severity | None:
    return Severity(word) if word in list(Severity) else None
