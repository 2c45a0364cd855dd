"""A supervised process is started again whenever it ends, and ended with its supervisor."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from nof0site.serving import exporting
from nof0site.serving.exporting import Supervisor
from tests.platform.processes import wait_for
from trading.export.status.board import Board

# Writes its process id, then does what it is told.
LIVE = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} '); "


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(exporting, "FIRST_PAUSE_SECONDS", 0.02)
    return tmp_path / "pids"


@pytest.fixture
def started() -> Iterator[list[Supervisor]]:
    supervisors: list[Supervisor] = []
    yield supervisors
    for supervisor in supervisors:
        supervisor.stop()


def start(started: list[Supervisor], pids: Path, what: str) -> tuple[Supervisor, Board]:
    board = Board()
    supervisor = Supervisor([sys.executable, "-c", LIVE + what, str(pids)], board)
    supervisor.start()
    started.append(supervisor)
    return supervisor, board


def stated(board: Board) -> str | None:
    seen = board.supervision.read()
    return seen.state if seen else None


def read(pids: Path) -> list[int]:
    return [int(pid) for pid in pids.read_text().split()] if pids.exists() else []


def test_one_that_is_killed_starts_again_and_leaves_no_zombie(
    pids: Path, started: list[Supervisor], caplog: pytest.LogCaptureFixture
) -> None:
    _, board = start(started, pids, "time.sleep(60)")
    for number in range(1, 4):
        wait_for(lambda number=number: len(read(pids)) == number)
        os.kill(read(pids)[-1], signal.SIGKILL)
    wait_for(lambda: len(read(pids)) == 4 and stated(board) == "running")

    assert not any(psutil.pid_exists(pid) for pid in read(pids)[:-1])
    seen = board.supervision.read()
    assert seen is not None
    assert (seen.state, seen.restarts, seen.last_exit) == ("running", 3, "was killed by SIGKILL")
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(lines) == 3
    assert lines[0].startswith("The exporter was killed by SIGKILL after ")


def test_one_that_ends_by_itself_starts_again(
    pids: Path, started: list[Supervisor], caplog: pytest.LogCaptureFixture
) -> None:
    start(started, pids, "sys.exit(3)")
    wait_for(lambda: len(read(pids)) >= 3)
    assert "ended with exit code 3" in caplog.text


@pytest.mark.parametrize(("failures", "pause"), [(1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (5000, 60.0)])
def test_the_pause_doubles_up_to_a_minute(failures: int, pause: float) -> None:
    assert exporting.pause_seconds(failures) == pause


def test_a_command_that_is_not_there_is_tried_again(started: list[Supervisor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "FIRST_PAUSE_SECONDS", 0.02)
    board = Board()
    supervisor = Supervisor(["/nowhere/python"], board)
    supervisor.start()
    started.append(supervisor)

    def tried_twice() -> bool:
        seen = board.supervision.read()
        return seen is not None and seen.restarts >= 2

    wait_for(tried_twice)
    seen = board.supervision.read()
    assert seen is not None
    assert (seen.last_exit or "").startswith("could not be started: ")


def test_stopping_ends_it_and_starts_none_again(pids: Path, started: list[Supervisor]) -> None:
    supervisor, _ = start(started, pids, "time.sleep(60)")
    wait_for(lambda: len(read(pids)) == 1)
    supervisor.stop()
    assert len(read(pids)) == 1
    assert not psutil.pid_exists(read(pids)[0])


def test_one_that_ignores_the_request_to_end_is_killed(
    pids: Path, started: list[Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PATIENCE_SECONDS", 0.2)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'a').write('0 '); "
    supervisor, _ = start(started, pids, f"{deaf} time.sleep(60)")
    wait_for(lambda: len(read(pids)) == 2)
    supervisor.stop()
    assert not psutil.pid_exists(read(pids)[0])


def test_stopping_during_a_pause_does_not_wait_for_its_end(
    pids: Path, started: list[Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "FIRST_PAUSE_SECONDS", 60.0)
    supervisor, board = start(started, pids, "sys.exit(1)")
    wait_for(lambda: stated(board) == "restarting")
    supervisor.stop()
    assert len(read(pids)) == 1
