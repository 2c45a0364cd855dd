"""File locks of the kernel, which frees them when a process ends, even if it is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from nof0site.embedded.errors import EmbeddedServerError


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it. Excludes other threads too, as each opens the file for itself."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        # Unlocked explicitly: a child forked meanwhile has the file open too and would keep the lock.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def open_lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f"The data directory {path.parent} cannot be used ({error.strerror}). Run as the user it belongs to, or "
            "set NOF0_DATA_DIR to a directory of your own."
        ) from error


class UsersLock:
    """This process's share in the servers. The process that can take the lock exclusively is the last user.

    Every method but `is_held` is called under the start lock, which orders joining and leaving.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        os.register_at_fork(after_in_child=self._forget)

    @property
    def is_held(self) -> bool:
        return self._handle is not None

    def join(self) -> None:
        if self._handle is None:
            handle = open_lock(self._path)
            fcntl.flock(handle, fcntl.LOCK_SH)
            self._handle = handle

    def leave(self) -> bool:
        """Give up the share. True if no user is left, so that the servers may stop."""
        if self._handle is not None:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            os.close(self._handle)
            self._handle = None
        return self._is_free()

    def _is_free(self) -> bool:
        handle = open_lock(self._path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _forget(self) -> None:
        """In a forked child: the share is the parent's. Unlocking it here would take it from the parent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
