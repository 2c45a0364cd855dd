"""After a restart of everything engines have time to report before their silence is an alarm."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import make_trader, sync_traders
from tests.traders.controls.asking import ask
from traders.database.held_lock import HeldLock
from traders.models import TraderControl, TraderRuntimeState
from traders.runtime import writer as runtime
from traders.schema.moments import now_ms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching.causes import WatchOutage
from trading.alarms.watching.services import ALARM_LOCK, AlarmLoop, AlarmWatch
from trading.export.directory.manifest import Manifest
from trading.export.directory.runs import ExportDirectory
from trading.export.status import alarms as alarm_status
from trading.export.status import file as export_status
from trading.export.status.alarms import AlarmStatus
from trading.export.status.file import ExportStatus, ServerSeen
from trading.models import Alarm, EquitySnapshot

pytestmark = pytest.mark.django_db
TRADER = "steady_long"
# Two decision intervals of the trader and the minute of the rule.
ALLOWED = timedelta(seconds=2 * 180 + 60)


@pytest.fixture
def watch(tmp_path: Path) -> AlarmWatch:
    sync_traders(make_trader())
    return AlarmWatch(tmp_path)


def running(silent: timedelta) -> None:
    runtime.report(TRADER, version=1, is_running=True, detail={})
    TraderRuntimeState.objects.filter(pk=TRADER).update(updated_at=timezone.now() - silent)


def opened() -> set[str]:
    return set(Alarm.objects.filter(ended_at__isnull=True).values_list("rule", flat=True))


def ago(**time_ago: float) -> datetime:
    return timezone.now() - timedelta(**time_ago)


def test_an_engine_that_was_silent_during_an_outage_has_its_time_after_it(watch: AlarmWatch) -> None:
    running(silent=timedelta(hours=3))
    watch.look(WatchOutage(until=ago(seconds=20), since=ago(hours=3)))
    assert opened() == set()

    watch.look(WatchOutage(until=timezone.now() - ALLOWED - timedelta(seconds=5), since=ago(hours=3)))
    assert opened() == {AlarmName.REPORT_OVERDUE}


def test_an_engine_that_was_overdue_before_an_outage_stays_so(watch: AlarmWatch) -> None:
    running(silent=timedelta(hours=5))
    watch.look()
    [before] = Alarm.objects.all()

    watch.look(WatchOutage(until=ago(seconds=20), since=ago(hours=3)))
    assert [alarm.pk for alarm in Alarm.objects.filter(ended_at__isnull=True)] == [before.pk]


def test_an_engine_that_reported_after_an_outage_is_watched_as_ever(watch: AlarmWatch) -> None:
    running(silent=ALLOWED + timedelta(seconds=5))
    watch.look(WatchOutage(until=timezone.now() - ALLOWED - timedelta(seconds=10), since=ago(hours=3)))
    assert opened() == {AlarmName.REPORT_OVERDUE}


def test_equity_prices_and_documents_have_their_time_after_an_outage(
    watch: AlarmWatch, tmp_path: Path, settings: Any
) -> None:
    settings.EXPORT_SECONDS = 60
    running(silent=timedelta(0))
    EquitySnapshot.objects.create(trader_id=TRADER, ts_ms=now_ms() - 3_600_000, equity_usd=Decimal(100))
    directory = ExportDirectory(tmp_path)
    directory.publish(
        directory.begin(now_ms() - 3_600_000), Manifest(as_of=now_ms() - 3_600_000, duration_ms=1, files=[])
    )
    up = ServerSeen(is_up=True, at=time.time() - 3600)
    export_status.write(
        tmp_path, ExportStatus(at=time.time() - 3600, pid=1, postgres=up, redis=up, live_ages={"price": 1.0})
    )

    watch.look(WatchOutage(until=ago(seconds=20), since=ago(minutes=58)))
    assert opened() == set()
    watch.look()
    assert opened() == {AlarmName.EQUITY_STALE, AlarmName.EXPORT_LATE}


def test_a_control_that_was_given_before_an_outage_may_be_acknowledged_after_it(watch: AlarmWatch) -> None:
    running(silent=timedelta(0))
    ask("stop", TRADER)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE trader_controls DISABLE TRIGGER USER")
        TraderControl.objects.update(at=ago(minutes=59))
        cursor.execute("ALTER TABLE trader_controls ENABLE TRIGGER USER")

    watch.look(WatchOutage(until=ago(seconds=5), since=ago(minutes=59, seconds=2)))
    assert AlarmName.CONTROL_NOT_FOLLOWED not in opened()
    watch.look(WatchOutage(until=ago(seconds=40), since=ago(minutes=59, seconds=2)))
    assert AlarmName.CONTROL_NOT_FOLLOWED in opened()


class Noting(AlarmWatch):
    """Keeps what it was told instead of looking."""

    def __init__(self, export_dir: Path) -> None:
        super().__init__(export_dir)
        self.told: list[WatchOutage | None] = []

    def look(self, outage: WatchOutage | None = None) -> bool:
        self.told.append(outage)
        return True


def beat(loop: AlarmLoop) -> WatchOutage | None:
    lock = HeldLock(ALARM_LOCK)
    try:
        loop._beat(lock)
    finally:
        lock.release()
    assert isinstance(loop.watch, Noting)
    return loop.watch.told[-1]


def loop_at(directory: Path, *, last: float | None) -> AlarmLoop:
    """A new process; the one before it looked so many seconds ago."""
    if last is not None:
        alarm_status.write(directory, AlarmStatus(at=time.time() - last))
    return AlarmLoop(Noting(directory), directory, 60)


def test_a_process_that_starts_long_after_the_last_look_has_an_outage_behind_it(tmp_path: Path) -> None:
    outage = beat(loop_at(tmp_path, last=1000))
    assert outage is not None
    assert outage.since is not None
    assert abs((outage.until - outage.since).total_seconds() - 1000) < 5

    # It is known to the process that follows at once.
    assert beat(AlarmLoop(Noting(tmp_path), tmp_path, 60)) == outage


def test_the_first_look_of_a_site_has_nothing_before_it(tmp_path: Path) -> None:
    outage = beat(loop_at(tmp_path, last=None))
    assert outage is not None
    assert outage.since is None


def test_a_watch_that_is_started_again_at_once_has_no_outage(tmp_path: Path) -> None:
    assert beat(loop_at(tmp_path, last=45)) is None


def test_looks_that_take_a_little_longer_are_no_outage(tmp_path: Path) -> None:
    loop = loop_at(tmp_path, last=10)
    beat(loop)
    loop._looked_at -= 200
    alarm_status.write(tmp_path, AlarmStatus(at=time.time() - 200))
    assert beat(loop) is None


def test_a_disk_that_takes_no_status_makes_no_outage(tmp_path: Path) -> None:
    loop = loop_at(tmp_path, last=10)
    beat(loop)
    alarm_status.write(tmp_path, AlarmStatus(at=time.time() - 5000))
    assert beat(loop) is None
