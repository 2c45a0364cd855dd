"""Whether what the site consists of works: stores, exporter, alarms, the manager."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.database import replica
from traders.words import settings as words
from traders.words.messages import translated
from trading.alarms.presentation import UNWATCHED_SECONDS
from trading.export.directory.runs import ExportDirectory
from trading.export.status import alarms as alarm_status
from trading.export.status import board as boards
from trading.export.status import file as export_status
from trading.export.status.board import RUNNING, Supervision
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.overview import queries
from trading.schema.live_store.answers import FreshValue, StaleValue

LATE_EXPORTS = 5
"""So many runs may be missed before an export is late."""

CYCLE_GRACE = timedelta(seconds=60)
"""Beyond two decision intervals: then the manager is said to run no more."""


class HealthState(StrEnum):
    WELL = "well"
    FAULTY = "faulty"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class HealthLine:
    """`at`: when it last worked, or was last seen; None: not known."""

    name: str
    state: HealthState
    said: str
    at: datetime | None = None
    url: str = ""

    @property
    def css(self) -> str:
        return {HealthState.WELL: "state-running", HealthState.FAULTY: "state-stopped"}.get(self.state, "")

    @property
    def icon(self) -> str:
        icons = {HealthState.WELL: "check_circle", HealthState.FAULTY: "error"}
        return icons.get(self.state, "radio_button_unchecked")


def health(now: datetime) -> list[HealthLine]:
    """One statement, two more where the site has a replica, one read of Redis and a few small files."""
    return [_redis(), *_replica(), _exporter(now), _alarms(now), _manager(now)]


def _replica() -> list[HealthLine]:
    if not replica.is_configured():
        return []
    name, seen = _("Replica"), replica.seen()
    if seen.why is None:
        behind = _("%(n)d s behind") % {"n": round(seen.behind_seconds or 0)}
        return [HealthLine(name, HealthState.WELL, behind)]
    why = _("the primary is read: %(why)s") % {"why": translated(seen.why)}
    return [HealthLine(name, HealthState.FAULTY, why)]


def _redis() -> HealthLine:
    name, url = _("Live store"), reverse("admin:trading_position_live")
    prices = store.read_all(PRICE)
    if prices is None:
        return HealthLine(name, HealthState.FAULTY, _("Redis does not answer"), url=url)
    ages = [answer.age_seconds for answer in prices.values() if isinstance(answer, FreshValue | StaleValue)]
    if not ages:
        return HealthLine(name, HealthState.WELL, _("no prices"), url=url)
    youngest = _("youngest price %(age)s old") % {"age": words.rough_duration(round(min(ages)))}
    # Redis answers, but its prices are old: not green. What that means while positions are open, an alarm says.
    is_quoted = any(isinstance(answer, FreshValue) for answer in prices.values())
    return HealthLine(name, HealthState.WELL if is_quoted else HealthState.OFF, youngest, url=url)


def _exporter(now: datetime) -> HealthLine:
    name = _("Public documents")
    if not settings.EXPORT_SECONDS:
        return HealthLine(name, HealthState.OFF, _("this site makes none"))
    current = ExportDirectory(settings.EXPORT_DIR).current()
    if current is None:
        return HealthLine(name, HealthState.OFF, _("none yet"))
    at = datetime.fromtimestamp(current.manifest.as_of / 1000, UTC)
    status = export_status.read(settings.EXPORT_DIR)
    if (now - at).total_seconds() <= LATE_EXPORTS * settings.EXPORT_SECONDS:
        return HealthLine(name, HealthState.WELL, _("exported"), at)
    why = status.last_error if status and status.is_failing else None
    return HealthLine(name, HealthState.FAULTY, why or _("late"), at)


def _alarms(now: datetime) -> HealthLine:
    name, url = _("Alarms"), reverse("admin:trading_alarm_changelist")
    status = alarm_status.read(settings.EXPORT_DIR)
    if status is None:
        return HealthLine(name, HealthState.FAULTY, _("no process watches"), url=url)
    at = datetime.fromtimestamp(status.at, UTC)
    if (now - at).total_seconds() > UNWATCHED_SECONDS:
        return HealthLine(name, HealthState.FAULTY, _("no process watches any more"), at, url)
    said = _("watched") if status.is_well else _("some rules cannot be asked, or messages wait")
    return HealthLine(name, HealthState.WELL if status.is_well else HealthState.FAULTY, said, at, url)


def _manager(now: datetime) -> HealthLine:
    """Where this site starts it, `make run` knows whether it runs; of another one only its cycles tell."""
    name, cycle = _("Manager"), queries.last_cycle()
    at = cycle.opened_at if cycle else None
    process = _supervision()
    if process is not None:
        if process.state != RUNNING:
            why = process.last_exit or _("it ended")
            return HealthLine(name, HealthState.FAULTY, _("is started again: %(why)s") % {"why": why}, at)
        return HealthLine(name, HealthState.WELL, _("runs, last cycle") if at else _("runs, no cycle yet"), at)
    is_fresh = cycle is not None and now - cycle.opened_at <= CYCLE_GRACE + 2 * cycle.interval
    if settings.RUN_MANAGER:
        said = _("last cycle") if at else _("no cycle yet; make run starts it")
        return HealthLine(name, HealthState.WELL if is_fresh else HealthState.OFF, said, at)
    if is_fresh:
        return HealthLine(name, HealthState.WELL, _("runs elsewhere (RUN_MANAGER is off here), last cycle"), at)
    off = _("RUN_MANAGER is off: this site starts none")
    return HealthLine(name, HealthState.OFF, _("%(off)s; last cycle") % {"off": off} if at else off, at)


def _supervision() -> Supervision | None:
    """None where this process was not started by `make run`, or no manager beside it."""
    board = boards.in_use()
    process = board.manager_supervision.read() if board else None
    return None if process is None or process.state == boards.OFF else process
