"""Health tells of the exporter and its disk what the exporter itself can no longer write down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trading.export.public_api.client import get, make_api, make_run
from traders.schema.messages import verbatim
from trading.export.directory.manifest import DocumentSource, Manifest, ManifestEntry
from trading.export.directory.runs import ExportDirectory
from trading.export.documents.names import Document
from trading.export.status import board as boards
from trading.export.status import file as status
from trading.export.status.board import Board, Supervision
from trading.export.status.file import ExportStatus, ServerSeen

TOKEN = "a-token-of-enough-letters"
FULL = "OSError: [Errno 28] No space left on device"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_run(tmp_path, time.time_ns() // 1_000_000)
    return tmp_path


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    boards.use(board)
    yield board
    boards.use(Board())


@pytest.fixture(autouse=True)
def no_board_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_board", None)


def make_status(**how: Any) -> ExportStatus:
    now = time.time()
    return ExportStatus(
        **{"at": now, "pid": 1, "postgres": ServerSeen(True, now), "redis": ServerSeen(True, now), **how}
    )


def health(root: Path) -> Any:
    """As a holder of a token reads it: with the texts of errors."""
    return get(make_api(root, tokens=[TOKEN]), "/api/health", authorization=f"Bearer {TOKEN}").json


def metrics(root: Path) -> str:
    return get(make_api(root), "/metrics").content.decode()


def test_a_killed_exporter_is_shown_with_its_restarts_and_how_it_ended(root: Path, board: Board) -> None:
    status.write(root, make_status())
    board.supervision.write(Supervision("restarting", time.time(), 3, "was killed by SIGKILL", time.time()))
    found = health(root)

    assert found["exporter"] | {"age_seconds": 0.0, "last_error_age_seconds": 0.0} == {
        "state": "restarting",
        "restarts": 3,
        "failing": True,
        "age_seconds": 0.0,
        "last_error": "The exporter was killed by SIGKILL.",
        "last_error_age_seconds": 0.0,
    }
    assert (found["status"], found["stale"]) == ("failing", False)
    assert "nof0_exporter_up 0.0" in metrics(root)
    assert "nof0_exporter_restarts_total 3.0" in metrics(root)


def test_an_exporter_that_runs_again_is_no_failure(root: Path, board: Board) -> None:
    status.write(root, make_status())
    board.supervision.write(Supervision("running", time.time(), 1, "was killed by SIGKILL", time.time() - 9))
    found = health(root)

    assert (found["status"], found["exporter"]["state"], found["exporter"]["restarts"]) == ("ok", "running", 1)
    assert 8 < found["exporter"]["last_error_age_seconds"] < 39


def test_a_disk_that_the_exporter_cannot_write_is_told_by_the_board(root: Path, board: Board) -> None:
    status.write(root, make_status(at=time.time() - 60))
    board.supervision.write(Supervision("running", time.time()))
    board.status.write(
        make_status(
            is_failing=True, last_error=FULL, last_error_at=time.time(), disk=ServerSeen(False, error=verbatim(FULL))
        )
    )
    found = health(root)

    assert found["status"] == "failing"
    assert (found["disk"]["state"], found["disk"]["error"]) == ("failing", FULL)
    assert found["exporter"]["last_error"] == FULL
    assert found["exporter"]["age_seconds"] < 30
    assert found["postgres"]["state"] == "up"


def test_the_lists_of_the_file_stay_when_the_board_is_newer(root: Path, board: Board) -> None:
    status.write(root, make_status(at=time.time() - 5, config_versions={"ann": 3}))
    board.status.write(make_status(cycles=4))
    text = metrics(root)

    assert 'nof0_config_version{trader="ann"} 3.0' in text
    assert "nof0_export_cycles_total 4.0" in text


def test_a_disk_without_room_for_the_next_run_is_full_before_an_export_fails(tmp_path: Path) -> None:
    directory = ExportDirectory(tmp_path)
    run = directory.begin(time.time_ns() // 1_000_000)
    # A run so large that no disk of today has room for a second one.
    entry = run.put(ManifestEntry(name=Document.TRADES, source=DocumentSource.LIVE, as_of=run.as_of), b"{}")
    directory.publish(
        run, Manifest(run.as_of, 1, [entry, ManifestEntry("large", DocumentSource.LIVE, run.as_of, gzip_size=10**18)])
    )
    status.write(tmp_path, make_status())
    found = health(tmp_path)

    assert (found["status"], found["disk"]["state"]) == ("failing", "full")
    assert found["disk"]["free_bytes"] < found["disk"]["needed_bytes"]


def test_a_directory_that_is_not_made_yet_is_measured_where_it_would_be(tmp_path: Path) -> None:
    assert health(tmp_path / "to" / "come")["disk"]["state"] == "ok"


@pytest.mark.parametrize(
    ("supervision", "seen_seconds_ago", "state"),
    [
        (None, 1, "running"),
        (None, 1000, "unknown"),
        (Supervision("off", 1.0), 1000, "off"),
        (Supervision("off", 1.0), 1, "running"),
        (Supervision("running", 1.0), 1, "running"),
        (Supervision("running", 1.0), 1000, "silent"),
        (Supervision("running", 4e9), 1000, "running"),
    ],
)
def test_the_state_of_the_exporter(
    root: Path, board: Board, supervision: Supervision | None, seen_seconds_ago: float, state: str
) -> None:
    if supervision:
        board.supervision.write(supervision)
    else:
        boards.use(Board())
    status.write(root, make_status(at=time.time() - seen_seconds_ago))
    assert health(root)["exporter"]["state"] == state


def test_one_that_waits_for_another_leaves_the_word_to_that_one(root: Path, board: Board) -> None:
    status.write(root, make_status(at=time.time() - 5, cycles=9))
    board.supervision.write(Supervision("running", time.time()))
    board.status.write(make_status(is_waiting=True, postgres=ServerSeen(False)))
    found = health(root)

    assert found["exporter"]["state"] == "waiting"
    assert found["postgres"]["state"] == "up"
    assert "nof0_export_cycles_total 9.0" in metrics(root)


def test_without_a_token_states_and_numbers_are_told_and_no_texts(root: Path, board: Board) -> None:
    board.supervision.write(Supervision("restarting", time.time(), 3, "was killed by SIGKILL", time.time()))
    board.status.write(make_status(is_failing=True, disk=ServerSeen(False, error=verbatim(FULL))))
    found = get(make_api(root), "/api/health").json

    assert (found["exporter"]["state"], found["exporter"]["restarts"]) == ("restarting", 3)
    assert (found["disk"]["state"], found["disk"]["error"], found["exporter"]["last_error"]) == ("failing", None, None)


def test_what_lies_ahead_of_the_clock_is_said_to_and_has_no_age_below_zero(tmp_path: Path) -> None:
    later = time.time() + 3600
    make_run(tmp_path, round(later * 1000))
    status.write(
        tmp_path,
        make_status(at=later, postgres=ServerSeen(True, later), redis=ServerSeen(True), live_ages={"key": -9.5}),
    )
    found = health(tmp_path)

    for part in (found["export"], found["exporter"], found["postgres"]):
        assert (part["age_seconds"], part["age_note"]) == (0.0, "ahead of this server's clock")
    assert "age_note" not in found["redis"]
    assert 'nof0_live_store_age_seconds{key="key"} 0.0' in metrics(tmp_path)
    # It was written before the clock was set back: what holds now is not known.
    assert (found["exporter"]["state"], found["postgres"]["state"]) == ("unknown", "unknown")


def test_a_moment_just_ahead_is_of_now(root: Path) -> None:
    status.write(root, make_status(at=time.time() + 1))
    found = health(root)

    assert 0.0 <= found["exporter"]["age_seconds"] < 30
    assert "age_note" not in found["exporter"]
    assert found["postgres"]["state"] == "up"
