"""Which servers of this data directory are running: one file per port, locked by its process as long as it lives.

The lock is the proof: a number left in a file by a killed process may belong to another process by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from nof0site.embedded.locks import open_lock

PATTERN = "serve-*.pid"


@contextlib.contextmanager
def announced(data_dir: Path, port: int) -> Iterator[None]:
    """Hold the file of this port while the block runs. Call it when the port is known to be free."""
    path = data_dir / f"serve-{port}.pid"
    handle = open_lock(path)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    # A worker forked from here must not look like a running server after its parent was killed.
    os.register_at_fork(after_in_child=lambda: _close_quietly(handle))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def stop_all(data_dir: Path, patience_seconds: float) -> tuple[list[int], list[int]]:
    """Ask every running server to stop and wait for it: (process ids that stopped, ids that did not in time)."""
    running = {path: pid for path in data_dir.glob(PATTERN) if (pid := _running(path))}
    for pid in running.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while any(_running(path) for path in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = {pid for path, pid in running.items() if _running(path)}
    return sorted(set(running.values()) - left), sorted(left)


def _running(path: Path) -> int | None:
    """The process that holds the file; None if it was left by one that is gone."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(path.read_text(encoding="ascii") or 0) or None
    return None


def _close_quietly(handle: int) -> None:
    with contextlib.suppress(OSError):
        os.close(handle)
