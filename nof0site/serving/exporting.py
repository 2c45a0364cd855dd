"""The exporter, the sender of alarms, the manager and the demo's feed beside the site.

Processes of their own, so that a long export never holds up a page or an alarm, started again whenever they end."""

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

from trading.export.status.board import OFF, RESTARTING, RUNNING, Board, BoardSlot, Supervision

PATIENCE_SECONDS = 15
# Between an end and the next start: twice as long each time, until one has lived for as long as the longest pause.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

log = logging.getLogger(__name__)


@contextlib.contextmanager
def exporter_beside(board: Board) -> Iterator[None]:
    """It ends with the block, and by itself when this process is killed. None with EXPORT_SECONDS=0."""
    with _beside("exporter", "export_json", board, board.supervision, is_on=bool(settings.EXPORT_SECONDS)):
        yield


@contextlib.contextmanager
def alarms_beside(board: Board) -> Iterator[None]:
    """The sender of alarms, as the exporter. None with ALARM_SECONDS=0."""
    is_on = bool(settings.ALARM_SECONDS)
    with _beside("sender of alarms", "send_alarms", board, board.alarm_supervision, is_on=is_on):
        yield


@contextlib.contextmanager
def manager_beside(board: Board) -> Iterator[None]:
    """The manager, as the exporter. Only with RUN_MANAGER=1, and always in the demo."""
    with _beside("manager", "run_manager", board, board.manager_supervision, is_on=settings.RUN_MANAGER):
        yield


@contextlib.contextmanager
def demo_feed_beside(board: Board) -> Iterator[None]:
    """The prices and reports of the demo, as the exporter. Only in the demo."""
    with _beside("demo's feed", "feed_demo", board, board.feed_supervision, is_on=settings.DEMO):
        yield


@contextlib.contextmanager
def _beside(what: str, command: str, board: Board, slot: BoardSlot[Supervision], *, is_on: bool) -> Iterator[None]:
    if not is_on:
        slot.write(Supervision(OFF, time.time()))
        yield
        return
    line = [sys.executable, str(settings.BASE_DIR / "manage.py"), command]
    line += ["--with-parent", str(os.getpid()), "--board", str(board.fd)]
    supervisor = Supervisor(line, board, what=what, slot=slot)
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

    def __init__(
        self,
        command: Sequence[str],
        board: Board,
        *,
        what: str = "exporter",
        slot: BoardSlot[Supervision] | None = None,
    ) -> None:
        """`what` names the process in the log; its state is written to `slot`, by default that of the exporter."""
        self._command, self._board, self._what = command, board, what
        self._slot = slot or board.supervision
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"{what} supervisor", daemon=True)
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
            log.error("The %s %s after %.0f s; it starts again in %.0f s.", self._what, how, lived, pause)
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
                    # Ctrl-C in the terminal is for the site, which ends its processes in order.
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
        self._slot.write(Supervision(state, time.time(), self._restarts, self._last_exit, self._ended_at))
