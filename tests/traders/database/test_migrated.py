"""A program that is started before the site has migrated reads and writes nothing until then."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.factories import make_trader, sync_traders
from tests.platform.processes import PATIENCE_SECONDS
from traders.database import migrated
from traders.database.migrated import NotMigrated, require_migrated
from traders.database.outages import Complaints
from trading.alarms.watching import services as watching
from trading.alarms.watching.services import AlarmLoop, AlarmWatch
from trading.export import services as export
from trading.export.directory.runs import ExportDirectory
from trading.export.parts.options import Options
from trading.export.services import ExportLoop
from trading.export.status import alarms as alarm_status
from trading.export.status import file as export_status

pytestmark = pytest.mark.django_db
NOT_YET = "Migrations of this release are not applied yet"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Migrations of the release that the database does not have; a test may clear it."""
    missing = {"trading 9999_later"}
    ours = migrated.known()
    monkeypatch.setattr(migrated, "known", lambda: ours | missing)
    # A test is one transaction, which ends with its connection.
    monkeypatch.setattr(connection, "close", lambda: None)
    return missing


@pytest.fixture
def stopped_by_time() -> Any:
    """Sets the event of a loop that does not end by itself."""
    timers: list[threading.Timer] = []

    def stop(event: threading.Event, seconds: float = PATIENCE_SECONDS) -> None:
        timers.append(threading.Timer(seconds, event.set))
        timers[-1].start()

    yield stop
    for timer in timers:
        timer.cancel()


def test_every_migration_of_the_release_is_known_by_its_file() -> None:
    ours = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    assert migrated.known() == {f"{app} {name}" for app, name in ours if app in ("traders", "trading")}
    require_migrated()


def test_migrations_of_a_later_release_hinder_nobody() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('trading', '9999_later', now())")
    require_migrated()


def test_a_database_without_the_newest_migration_is_not_migrated() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'trading' AND name = %s", [newest()])
    with pytest.raises(NotMigrated, match=NOT_YET):
        require_migrated()


def test_a_manager_runs_no_trader_and_syncs_no_file_before(later: set[str]) -> None:
    with pytest.raises(CommandError, match=rf"{NOT_YET}.*Nothing was written\."):
        call_command("run_manager", "--once")


def test_an_exporter_writes_no_document_before_and_begins_then(
    later: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_by_time: Any
) -> None:
    sync_traders(make_trader())
    monkeypatch.setattr(export, "WAIT_SECONDS", 0.02)
    options = Options(tmp_path / "export")
    seen: list[tuple[int, list[int]]] = []

    def tell(now: export_status.ExportStatus) -> None:
        seen.append((now.failed_cycles, ExportDirectory(options.root).runs()))
        if now.failed_cycles == 3:
            assert NOT_YET in str(now.last_error)
            later.clear()
        if now.cycles:
            beats.stop.set()

    beats = ExportLoop(options, 60, tell=tell)
    stopped_by_time(beats.stop)
    beats.run()

    assert [failed for failed, runs in seen if not runs] == [1, 2, 3]
    assert len(ExportDirectory(options.root).runs()) == 1


def test_a_sender_of_alarms_looks_at_nothing_before_and_begins_then(
    later: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stopped_by_time: Any,
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.02)
    loop = AlarmLoop(AlarmWatch(tmp_path), tmp_path, 60)
    with caplog.at_level(logging.WARNING, logger=watching.__name__):
        stopped_by_time(loop.stop, 0.5)
        loop.run()
    assert alarm_status.read(tmp_path) is None
    assert [record.getMessage().partition(".")[0] for record in caplog.records] == [
        f"Alarms cannot be read or written: {NOT_YET}"
    ], "it is said once, though it asked many times"

    later.clear()
    loop.stop.clear()

    def look(outage: object) -> bool:
        loop.stop.set()
        return True

    monkeypatch.setattr(loop.watch, "look", look)
    stopped_by_time(loop.stop)
    loop.run()
    assert alarm_status.read(tmp_path) is not None


def test_a_fault_that_stays_is_said_once_a_minute_and_another_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("traders.database.outages.time.monotonic", lambda: now[0])
    complaints = Complaints()
    said = []
    for second in range(130):
        now[0] = 1000.0 + second
        said += [(second, words) for words in ("away", "still away") if complaints.is_due(words)]
    assert [second for second, words in said if words == "away"] == [0, 60, 120]
    assert [second for second, words in said if words == "still away"] == [0, 60, 120]


def newest() -> str:
    return max(name for app, _, name in (one.partition(" ") for one in migrated.known()) if app == "trading")
