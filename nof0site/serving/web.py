"""The web server: Granian, with one worker process by default and several threads in it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

PARENT_CHECK_SECONDS = 0.5


def serve(host: str, port: int, *, workers: int, threads: int, on_listening: Callable[[], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `on_listening` is called when the port is ours."""
    server = Server(
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

    def started() -> None:
        # Granian would reload at a hang-up; a closed terminal means stop.
        signal.signal(signal.SIGHUP, server.signal_handler_interrupt)
        on_listening()

    server.on_startup(started)
    server.serve(target_loader=load_application)


def load_application(target: str) -> Any:
    """Runs in the worker process."""
    _ignore_the_terminal()
    threading.Thread(target=_leave_with_parent, name="leave-with-parent", daemon=True).start()
    from nof0site.wsgi import application

    return application


def _ignore_the_terminal() -> None:
    """Ctrl-C is for the parent, which stops its workers in order; in a group of its own the worker does not see it."""
    os.setpgid(0, 0)


def _leave_with_parent() -> None:
    """A worker whose parent was killed would keep the port, and the servers, for ever."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive() and os.getppid() == parent.pid:
        time.sleep(PARENT_CHECK_SECONDS)
    _leave_embedded_servers()
    os._exit(1)


def _leave_embedded_servers() -> None:
    from nof0site.embedded.configured import configured_servers

    configured_servers().leave()
