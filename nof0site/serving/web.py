"""The web server: Granian, with one worker process by default, an event loop and several threads in it.

docs/decisions/server.md says why."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

from django.conf import settings
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from trading.export.status import board as boards
from trading.export.status.board import Board

PARENT_CHECK_SECONDS = 0.5
MOST_HEADER_BYTES = 128 * 1024
BACKLOG = 1024
# Of a worker, at the same time. An idle one costs some kilobytes and ends after WEB_HEADER_SECONDS.
MOST_CONNECTIONS = 10_000
# File descriptors for everything else that a worker opens.
OTHER_FILES = 200


def configured_server(target: str, host: str, port: int, workers: int) -> Any:
    """Granian for an ASGI application, as the settings want it; its `serve` returns when it is asked to stop."""
    return Server(
        target,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        loop=Loops.uvloop,
        runtime_mode=RuntimeModes.mt,
        http=HTTPModes.http1,
        # Until a header is whole, and between two requests of a connection.
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.WEB_HEADER_SECONDS * 1000, max_buffer_size=MOST_HEADER_BYTES
        ),
        workers=workers,
        backlog=BACKLOG,
        backpressure=_connections(),
        websockets=False,
        # Its lines about starting and stopping repeat ours.
        log_level=LogLevels.warning,
        workers_kill_timeout=10,
    )


def serve(host: str, port: int, *, board: Board, workers: int, on_listening: Callable[[], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `on_listening` is called when the port is ours, `board` is where health
    reads how the exporter is."""
    server = configured_server("nof0site.asgi:application", host, port, workers)
    stopping = multiprocessing.Event()

    is_stopping = False

    def stop(*_: object) -> None:
        # A second signal may come while this function runs: the lock inside `stopping` is held then, by this thread.
        nonlocal is_stopping
        if not is_stopping:
            is_stopping = True
            stopping.set()
            server.signal_handler_interrupt()

    def started() -> None:
        # Granian would reload at a hang-up; a closed terminal means stop.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        on_listening()

    server.on_startup(started)
    server.serve(target_loader=partial(load_application, stopping, board))


def _connections() -> int:
    """As many as the system allows this process. Raises the soft limit of open files to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(BACKLOG, min(MOST_CONNECTIONS, soft - OTHER_FILES))


def load_application(stopping: Event, board: Board, target: str) -> Any:
    """Runs in the worker process."""
    _ignore_the_terminal()
    boards.use(board)
    from nof0site.asgi import application

    leave: dict[str, Any] = {"stopping": stopping, "end_waiting": application.end_waiting}
    threading.Thread(target=_leave_with_parent, kwargs=leave, name="leave-with-parent", daemon=True).start()
    return application


def _ignore_the_terminal() -> None:
    """Ctrl-C is for the parent, which stops its workers in order; in a group of its own the worker does not see it."""
    os.setpgid(0, 0)


def _leave_with_parent(stopping: Event, end_waiting: Callable[[], None]) -> None:
    """A worker whose parent was killed would keep the port, and the servers, for ever; one that is told to stop first
    answers the clients that wait for a change."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive() and os.getppid() == parent.pid:
        if stopping.wait(PARENT_CHECK_SECONDS):
            end_waiting()
            time.sleep(PARENT_CHECK_SECONDS)
    _leave_embedded_servers()
    os._exit(1)


def _leave_embedded_servers() -> None:
    from nof0site.embedded.configured import configured_servers

    configured_servers().leave()
