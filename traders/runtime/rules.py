"""What a trader is doing, as far as an engine's report can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

GRACE = timedelta(seconds=60)
LONGEST_DECISION = timedelta(minutes=5)


class State(StrEnum):
    NOT_REPORTED = "not_reported"
    STALE = "stale"
    RUNNING = "running"
    OVERDUE = "overdue"  # running when it last reported, and late with the next report
    PENDING = "pending"
    PAUSED = "paused"
    STOPPED = "stopped"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What an engine wrote last. `active_version` is None until one reported; `paused_until` None = not paused."""

    active_version: int | None
    is_running: bool
    paused_until: datetime | None
    reported_at: datetime


def stale_after(decision_interval_seconds: int) -> timedelta:
    """An engine reports after every decision: two missed ones and a minute make a report old."""
    return timedelta(seconds=2 * decision_interval_seconds) + GRACE


def overdue_after(decision_interval_seconds: int) -> timedelta:
    """An engine reports after every decision, which takes a while: half an interval more, 1 to 5 minutes."""
    interval = timedelta(seconds=decision_interval_seconds)
    return interval + min(max(interval / 2, GRACE), LONGEST_DECISION)


def state_of(
    *, retired: bool, version: int, decision_interval_seconds: int, report: EngineReport, now: datetime
) -> State:
    """One word for a trader. Running, paused and pending are said of a fresh report, running of one that is not late.

    `version` is the latest; pending means that the engine still runs an older one.
    """
    if retired:
        return State.RETIRED
    if report.active_version is None:
        return State.NOT_REPORTED
    if now - report.reported_at > stale_after(decision_interval_seconds):
        return State.STALE
    if not report.is_running:
        return State.STOPPED
    if report.paused_until is not None and report.paused_until > now:
        return State.PAUSED
    if report.active_version < version:
        return State.PENDING
    is_late = now - report.reported_at > overdue_after(decision_interval_seconds)
    return State.OVERDUE if is_late else State.RUNNING
