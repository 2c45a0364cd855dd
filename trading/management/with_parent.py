"""A command that `make run` starts ends with it."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT_CHECK_SECONDS = 0.5


def stop_when_told(stop: threading.Event, parent: int | None) -> None:
    """Sets `stop` at SIGTERM, SIGINT and SIGHUP, and when the process `parent` has ended."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    if parent:
        threading.Thread(target=_stop_with_parent, args=(stop, parent), daemon=True).start()


def _stop_with_parent(stop: threading.Event, parent: int) -> None:
    while os.getppid() == parent and not stop.is_set():
        time.sleep(PARENT_CHECK_SECONDS)
    stop.set()
