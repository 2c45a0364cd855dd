"""The exporter beside the site: a process of its own, so that a long export never holds up a page, started again
whenever it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from django.conf import settings

from trading.export.status.board import OFF, RESTARTING, RUNNING, Board, Supervision

PATIENCE_SECONDS = 15
# Between an end and the next start: twice as long each time, until one has lived for as long as the longest pause.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

log = logging.getLogger(__name__)


@contextlib.contextmanager
def exporter_beside(board: Board) -> Iterator[None]:
    """It ends with the block, and by itself when this process is killed. None with EXPORT_SECONDS=0."""
    if not settings.EXPORT_SECONDS:
        board.supervision.write(Supervision(OFF, time.time()))
        yield
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "export_json"]
    supervisor = Supervisor([*command, "--with-parent", str(os.getpid()), "--board", str(board.fd)], board)
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()


def pause_seconds(failures: int) -> float:
    """Before the start after so many ends in a row."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * float(2 ** min(max(0, failures - 1), 16)))


class Supervisor:
    """Keeps one process running, and reports its state on the board."""

    def __init__(self, command: Sequence[str], board: Board) -> None:
        self._command, self._board = command, board
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="exporter-supervisor", daemon=True)
        self._restarts = 0
        self._last_exit: str | None = None
        self._ended_at: float | None = None

    def start(self) -> None:
        # The first start is finished before this returns: a worker forked in the middle of it would hold its pipes.
        self._begin()
        self._thread.start()

    def stop(self) -> None:
        """Returns when the process has ended, killed if it takes longer than PATIENCE_SECONDS."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            process.terminate()
            self._thread.join(PATIENCE_SECONDS)
            process.kill()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            how = self._end()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - began
            failures = 0 if lived >= LONGEST_PAUSE_SECONDS else failures + 1
            pause = pause_seconds(failures)
            self._last_exit, self._ended_at = how, time.time()
            self._say(RESTARTING)
            log.error("The exporter %s after %.0f s; it starts again in %.0f s.", how, lived, pause)
            if self._stopping.wait(pause):
                return
            self._restarts += 1
            self._begin()

    def _begin(self) -> None:
        """A failed start counts as an end."""
        with self._lock:
            if self._stopping.is_set():
                return
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[self._board.fd],
                    # Ctrl-C in the terminal is for the site, which ends its exporter in order.
                    start_new_session=True,
                )
            except OSError as error:
                self._process, self._last_exit = None, f"could not be started: {error}"
                return
        self._say(RUNNING)

    def _end(self) -> str:
        """Waits for the end of the process, which leaves no zombie; how it ended, as a part of a sentence."""
        if self._process is None:
            return self._last_exit or "could not be started"
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
        return f"was killed by signal {-code}"

    def _say(self, state: str) -> None:
        self._board.supervision.write(Supervision(state, time.time(), self._restarts, self._last_exit, self._ended_at))
