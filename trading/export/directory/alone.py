"""A lock on a directory, for two exporters that both believe for a moment to be the only one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "lock"


@contextmanager
def alone_in(root: Path) -> Iterator[None]:
    """Others wait. The lock ends with the process that holds it."""
    with (root / NAME).open("ab") as file:
        # A file system without locks: the exporters' advisory lock is all there is then.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
