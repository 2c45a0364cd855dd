"""The memory in which the exporter and its supervisor say how they are."""

from __future__ import annotations

import os
import threading
from multiprocessing import get_context

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from trading.export.status.board import SLOT_BYTES, Board, Supervision
from trading.export.status.file import ExportStatus, ServerSeen


def make_status(**how: object) -> ExportStatus:
    return msgspec.convert(
        {"at": 1.0, "pid": 2, "postgres": ServerSeen(True), "redis": ServerSeen(True), **how},
        ExportStatus,
        from_attributes=True,
    )


def test_nothing_is_read_before_the_first_report() -> None:
    board = Board()
    assert (board.status.read(), board.supervision.read()) == (None, None)


@given(st.text(max_size=300), st.integers(0, 10**9), st.floats(0, 1e10))
def test_what_is_written_is_read(error: str, cycles: int, at: float) -> None:
    board = Board()
    status = make_status(last_error=error, cycles=cycles, at=at)
    board.status.write(status)
    board.supervision.write(Supervision("running", at, cycles, error))

    assert board.status.read() == status
    assert board.supervision.read() == Supervision("running", at, cycles, error)


def test_another_process_with_the_file_reads_and_writes_the_same() -> None:
    ours = Board()
    theirs = Board(os.dup(ours.fd))
    theirs.status.write(make_status(cycles=7))
    seen = ours.status.read()
    assert seen is not None
    assert seen.cycles == 7


def write_seven(board: Board) -> None:
    board.status.write(make_status(cycles=7))


def test_a_spawned_worker_is_handed_the_same_memory() -> None:
    board = Board()
    worker = get_context("spawn").Process(target=write_seven, args=[board])
    worker.start()
    worker.join()
    seen = board.status.read()
    assert seen is not None
    assert seen.cycles == 7


def test_a_report_that_does_not_fit_leaves_the_one_before() -> None:
    board = Board()
    board.status.write(make_status(cycles=1))
    board.status.write(make_status(cycles=2, last_error="x" * SLOT_BYTES))
    seen = board.status.read()
    assert seen is not None
    assert seen.cycles == 1


def test_nobody_reads_half_a_report() -> None:
    board, stop, wrong = Board(), threading.Event(), list[ExportStatus]()

    def read() -> None:
        while not stop.is_set():
            seen = board.status.read()
            if seen and len(seen.last_error or "") != seen.cycles:
                wrong.append(seen)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(2_000):
        board.status.write(make_status(cycles=number % 300, last_error="x" * (number % 300)))
    stop.set()
    reader.join()
    assert not wrong
