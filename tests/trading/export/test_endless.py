"""The exporter's loop ends when it is told to, and for nothing else."""

from __future__ import annotations

import decimal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest
from django.db import connection

from tests.platform.processes import PATIENCE_SECONDS
from tests.rows_from_before import take_rules_away
from tests.trading.export.record import add_equity, fill_record
from tests.trading_factories import OPENED_MS
from trading.export import services as export_json
from trading.export.cycle import Exporter
from trading.export.directory.manifest import Manifest
from trading.export.parts.options import Options
from trading.export.queries.snapshot import ExportLock
from trading.export.services import ExportLoop
from trading.export.status import file as status
from trading.export.status.file import ExportStatus
from trading.export.watch import Watch
from trading.live import services as live

pytestmark = pytest.mark.django_db


@pytest.fixture
def options(tmp_path: Path) -> Options:
    fill_record()
    return Options(tmp_path / "export")


def pydantic_error() -> Exception:
    try:
        pydantic.TypeAdapter(int).validate_python("x")
    except pydantic.ValidationError as error:
        return error
    raise AssertionError


def run(options: Options, *, beats_until: Callable[[ExportLoop, list[ExportStatus]], bool]) -> list[ExportStatus]:
    """Beats until the condition holds of what was told."""
    told: list[ExportStatus] = []
    beats = ExportLoop(options, 0.01)

    def tell(now: ExportStatus) -> None:
        told.append(now)
        if beats_until(beats, told):
            beats.stop.set()

    beats.tell = tell
    guard = threading.Timer(PATIENCE_SECONDS, beats.stop.set)
    guard.start()
    beats.run()
    guard.cancel()
    assert beats_until(beats, told), told
    return told


def no_number() -> None:
    """As another program may write it with SQL."""
    take_rules_away()
    add_equity("bob", OPENED_MS, 1000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE equity_snapshots SET equity_usd = 'NaN' WHERE trader_id = 'bob'")


def test_a_number_that_is_none_in_the_record_does_not_end_the_loop(options: Options) -> None:
    no_number()
    told = run(options, beats_until=lambda beats, told: len(told) == 3)
    assert told[-1].cycles + told[-1].failed_cycles == 3


FAULTS = [
    decimal.InvalidOperation("NaN"),
    OverflowError("too large"),
    RecursionError("too deep"),
    MemoryError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    pydantic_error(),
    BrokenPipeError(32, "Broken pipe"),
]


@pytest.mark.parametrize(
    ("owner", "name"), [(Exporter, "cycle"), (Watch, "look"), (live, "heal"), (ExportLock, "take")]
)
def test_whatever_fails_in_a_cycle_the_next_one_follows(
    options: Options, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    monkeypatch.setattr(export_json, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(connection, "close", lambda: None)
    intact, to_come = getattr(owner, name), list(FAULTS)

    def failing_first(*given: Any, **named: Any) -> Any:
        if to_come:
            raise to_come.pop()
        return intact(*given, **named)

    monkeypatch.setattr(owner, name, failing_first)
    told = run(options, beats_until=lambda beats, told: not to_come and not told[-1].is_failing and told[-1].cycles > 1)
    assert not told[-1].is_failing


def test_a_report_that_cannot_be_printed_does_not_end_the_loop(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    beats = ExportLoop(options, 0.01)
    reported: list[Manifest] = []

    def report(manifest: Manifest) -> None:
        reported.append(manifest)
        if len(reported) == 2:
            beats.stop.set()
        raise BrokenPipeError(32, "Broken pipe")

    beats.report = report
    guard = threading.Timer(PATIENCE_SECONDS, beats.stop.set)
    guard.start()
    beats.run()
    guard.cancel()
    assert len(reported) == 2


def test_a_disk_that_cannot_be_written_is_told_although_the_status_file_cannot(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    (tmp_path / "file").write_text("")
    nowhere = Options(tmp_path / "file" / "export")
    told = run(nowhere, beats_until=lambda beats, told: bool(told))

    assert status.read(nowhere.root) is None
    assert told[-1].is_failing
    assert told[-1].disk is not None
    assert told[-1].disk.error is not None
    assert told[-1].disk.error.startswith(("NotADirectoryError", "FileExistsError"))


def test_a_failure_that_is_over_is_no_longer_called_one(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    cycle, failed = Exporter.cycle, list[int]()

    def flaky(self: Exporter, **how: Any) -> Manifest:
        if not failed:
            failed.append(1)
            raise OSError(28, "No space left on device")
        return cycle(self, **how)

    monkeypatch.setattr(Exporter, "cycle", flaky)
    told = run(options, beats_until=lambda beats, told: told[-1].cycles == 1)

    def is_up(one: ExportStatus) -> bool | None:
        return one.disk.is_up if one.disk else None

    assert [(one.is_failing, is_up(one)) for one in told] == [(True, False), (False, True)]
    assert told[-1].last_error == "OSError: [Errno 28] No space left on device"


def test_one_bad_value_costs_no_other_document(options: Options) -> None:
    no_number()
    run(options, beats_until=lambda beats, told: told[-1].cycles == 1)
    trades = (options.root / "current" / "trades.json").read_text()
    assert '"bob"' in trades
