"""What was read from a file, until the file changes: known by its path, its times, its size and its inode."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Result = TypeVar("Result")
Stamp = tuple[int, int, int, int, int]

# Clocks of file systems are coarse: a file that is written twice within one tick keeps its time.
_SETTLED_NS = 2_000_000_000
# Uploads are read in directories of their own, each once.
_MOST_FILES = 64


class FileCache(Generic[Result]):
    """Calls `read` where the file is not the one that was read last. The result is shared: it must not be changed.

    What `read` raises is not kept, and a file is kept only when it has not changed for two seconds.
    """

    def __init__(self, read: Callable[[Path], Result]) -> None:
        self._read = read
        self._found: dict[Path, tuple[Stamp, Result]] = {}

    def __call__(self, path: Path) -> Result:
        # Before reading: a change meanwhile is noticed the next time.
        stamp = _stamp(path)
        known = self._found.get(path)
        if stamp is not None and known is not None and known[0] == stamp:
            return known[1]
        result = self._read(path)
        if stamp is not None and time.time_ns() - max(stamp[0], stamp[1]) > _SETTLED_NS:
            if len(self._found) >= _MOST_FILES:
                self._found.clear()
            self._found[path] = (stamp, result)
        else:
            self._found.pop(path, None)
        return result


def _stamp(path: Path) -> Stamp | None:
    """None for what is no regular file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
