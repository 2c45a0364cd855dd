"""The exporter as it runs for days: one at a time, no beats that pile up, and on through failures."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django_redis import get_redis_connection

from tests.platform.processes import PATIENCE_SECONDS
from tests.trading.export.record import fill_record
from trading.export import services as export_json
from trading.export.cycle import Exporter
from trading.export.directory.manifest import Manifest
from trading.export.directory.runs import ExportDirectory
from trading.export.parts.options import Options
from trading.export.queries.snapshot import ExportLock
from trading.export.services import ExportLoop
from trading.export.status import file as status
from trading.export.status.file import ExportStatus
from trading.live import keys
from trading.live import services as live
from trading.live.redis import store
from trading.live.redis.mode import follower

pytestmark = pytest.mark.django_db


@pytest.fixture
def options(tmp_path: Path) -> Options:
    fill_record()
    return Options(tmp_path / "export")


def run(options: Options, *, runs: int, every: float = 0.01) -> list[Manifest]:
    """Beats until so many runs are finished."""
    made: list[Manifest] = []
    beats = ExportLoop(options, every)

    def report(manifest: Manifest) -> None:
        made.append(manifest)
        if len(made) == runs:
            beats.stop.set()

    beats.report = report
    guard = threading.Timer(PATIENCE_SECONDS, beats.stop.set)
    guard.start()
    beats.run()
    guard.cancel()
    return made


def test_beats_go_on_until_told_to_stop(options: Options) -> None:
    made = run(options, runs=3)

    assert [manifest.as_of for manifest in made] == ExportDirectory(options.root).runs()
    seen = status.read(options.root)
    assert seen is not None
    assert (seen.cycles, seen.failed_cycles, seen.postgres.is_up, seen.redis.is_up) == (3, 0, True, True)
    assert seen.config_versions == {"ann": 1, "bob": 1, "cyd": 1}
    assert (seen.sync_traders, seen.sync_written, seen.sync_conflicts) == (3, 3, 0)
    assert seen.synced_at is not None


def test_a_live_store_found_empty_is_filled_while_nobody_trades(options: Options) -> None:
    live.rebuild_all()
    get_redis_connection("default").flushdb()
    follower.current(now=True)

    run(options, runs=1)

    assert set(store.read_all(keys.TRADES_RECENT) or {}) >= {"ann", "bob"}


def test_beats_missed_during_a_long_export_are_left_out(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = Exporter.cycle

    def slow(self: Exporter, **how: Any) -> Manifest:
        time.sleep(0.35)
        return cycle(self, **how)

    monkeypatch.setattr(Exporter, "cycle", slow)
    run(options, runs=2, every=0.1)
    seen = status.read(options.root)
    assert seen is not None
    assert seen.missed_beats >= 3


def test_a_failed_export_is_told_and_the_next_beat_tries_again(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle = Exporter.cycle
    failed: list[int] = []

    def flaky(self: Exporter, **how: Any) -> Manifest:
        if not failed:
            failed.append(1)
            raise OSError(28, "No space left on device")
        return cycle(self, **how)

    monkeypatch.setattr(Exporter, "cycle", flaky)
    monkeypatch.setattr(connection, "close", lambda: None)
    assert len(run(options, runs=1)) == 1
    seen = status.read(options.root)
    assert seen is not None
    assert (seen.failed_cycles, seen.last_error) == (1, "OSError: [Errno 28] No space left on device")


def test_the_one_that_waits_takes_over(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_json, "WAIT_SECONDS", 0.05)
    other, take = ExportLock(), ExportLock.take
    said: list[str] = []
    tried: list[bool] = []
    assert other.take()

    def noted(self: ExportLock) -> bool:
        tried.append(take(self))
        if len(tried) == 4:
            assert not ExportDirectory(options.root).runs()
            other.release()
        return tried[-1]

    monkeypatch.setattr(ExportLock, "take", noted)
    beats = ExportLoop(options, 60, report=lambda manifest: beats.stop.set(), say=said.append)
    guard = threading.Timer(PATIENCE_SECONDS, beats.stop.set)
    guard.start()
    beats.run()
    guard.cancel()

    assert tried[:5] == [False] * 4 + [True]
    assert said == ["Another exporter is at work; waiting to take over."]
    assert ExportDirectory(options.root).runs()


def test_a_lost_connection_is_a_lost_lock() -> None:
    lock = ExportLock()
    assert lock.take()
    assert lock.take()
    with lock._holder.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchall()[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(OperationalError):
        lock.take()
    assert lock.take()
    lock.release()


def test_a_database_that_is_away_is_not_called_another_exporter(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_json, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(connection, "close", lambda: None)
    said: list[str] = []
    lost = ExportLock()
    lost._holder.settings_dict = lost._holder.settings_dict | {"HOST": "/nowhere"}
    monkeypatch.setattr(lost, "release", lambda: None)
    monkeypatch.setattr(export_json, "ExportLock", lambda: lost)

    def tell(now: ExportStatus) -> None:
        if now.query_errors > 1:
            beats.stop.set()

    beats = ExportLoop(options, 60, say=said.append, tell=tell)
    guard = threading.Timer(PATIENCE_SECONDS, beats.stop.set)
    guard.start()
    beats.run()
    guard.cancel()

    seen = status.read(options.root)
    assert seen is not None
    assert (seen.postgres.is_up, seen.query_errors > 1) == (False, True)
    assert said == []


def test_the_lock_outlives_the_time_limits_of_idle_sessions() -> None:
    lock = ExportLock()
    with lock._holder.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 100")
    assert lock.take()
    time.sleep(0.4)
    assert lock.take()
    lock.release()


def test_once_beside_another_exporter_is_refused(options: Options) -> None:
    other = ExportLock()
    other.take()
    try:
        with pytest.raises(CommandError, match="Another exporter is at work"):
            call_command("export_json", "--once", "--dir", str(options.root))
    finally:
        other.release()


def test_once_writes_a_run_and_says_so(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_json", "--once", "--dir", str(options.root))

    assert "11 documents" in capsys.readouterr().out
    assert status.read(options.root) is not None


def test_a_document_that_fails_ends_once_with_its_name_and_code_3(
    options: Options, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trading.export.parts.all.inception_document", lambda *_, **__: 1 / 0)
    with pytest.raises(SystemExit) as ended:
        call_command("export_json", "--once", "--dir", str(options.root))
    assert ended.value.code == 3
    assert "since-inception-values: ZeroDivisionError" in capsys.readouterr().err


def test_an_unwritable_directory_is_one_line(options: Options, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="Nothing was exported"):
        call_command("export_json", "--once", "--dir", str(tmp_path / "file" / "export"))
