"""The web server: Granian, with one worker process by default and several threads in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from traders.services import changes
from trading.exporter import board as boards
from trading.exporter.board import Board

PARENT_CHECK_SECONDS = 0.5


def serve(host: str, port: int, *, board: Board, workers: int, threads: int, on_listening: Callable[[], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `on_listening` is called when the port is ours, `board` is where health
    reads how the exporter is."""
    server: Any = Server(
        "nof0site.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        # Its own lines about starting and stopping add nothing to ours.
        log_level=LogLevels.warning,
        workers_kill_timeout=10,
    )

    stopping = multiprocessing.Event()

    def stop(*_: object) -> None:
        stopping.set()
        server.signal_handler_interrupt()

    def started() -> None:
        # Granian would reload at a hang-up; a closed terminal means stop.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        on_listening()

    server.on_startup(started)
    server.serve(target_loader=partial(load_application, stopping, board))


def load_application(stopping: Event, board: Board, target: str) -> Any:
    """Runs in the worker process."""
    _ignore_the_terminal()
    threading.Thread(target=_leave_with_parent, args=[stopping], name="leave-with-parent", daemon=True).start()
    boards.use(board)
    from nof0site.wsgi import application

    return application


def _ignore_the_terminal() -> None:
    """Ctrl-C is for the parent, which stops its workers in order; in a group of its own the worker does not see it."""
    os.setpgid(0, 0)


def _leave_with_parent(stopping: Event) -> None:
    """A worker whose parent was killed would keep the port, and the servers, for ever; one that is told to stop first
    answers the engines that wait for a change."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive() and os.getppid() == parent.pid:
        if stopping.wait(PARENT_CHECK_SECONDS):
            changes.let_go()
            time.sleep(PARENT_CHECK_SECONDS)
    _leave_embedded_servers()
    os._exit(1)


def _leave_embedded_servers() -> None:
    from nof0site.embedded.configured import configured_servers

    configured_servers().leave()
