"""What the processes beside the site and their supervisor say of themselves, in memory that the server's workers share.

A file cannot say that the disk is full, and a process that was killed says nothing; this board shows both at once.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from multiprocessing.reduction import DupFd
from typing import Any, Generic, TypeVar

import msgspec

from traders.words.kept_messages import decoded, encoded
from trading.export.status.file import ExportStatus

SLOT_BYTES = 8192
SLOTS = 5
# Length and checksum of what follows. A reader that meets a half written slot sees it by the checksum.
HEAD = struct.Struct("<II")
READ_ATTEMPTS = 20
# States of a supervised process.
RUNNING, RESTARTING, OFF = "running", "restarting", "off"

Report = TypeVar("Report", bound=msgspec.Struct)


class Supervision(msgspec.Struct, frozen=True):
    """What the supervisor knows of a process. `since` and `ended_at` are seconds since 1970."""

    state: str
    since: float
    restarts: int = 0
    last_exit: str | None = None
    ended_at: float | None = None


class BoardSlot(Generic[Report]):
    """One report of one kind. One process writes it, any number read it, without locks."""

    def __init__(self, memory: mmap.mmap, offset: int, kind: type[Report]) -> None:
        self._memory, self._offset, self._kind = memory, offset, kind

    def write(self, report: Report) -> None:
        """A report that does not fit is left out: the one before stands."""
        content = msgspec.json.encode(report, enc_hook=encoded)
        if HEAD.size + len(content) > SLOT_BYTES:
            return
        whole = HEAD.pack(len(content), zlib.crc32(content)) + content
        self._memory[self._offset : self._offset + len(whole)] = whole

    def read(self) -> Report | None:
        """None before the first report."""
        for _ in range(READ_ATTEMPTS):
            slot = self._memory[self._offset : self._offset + SLOT_BYTES]
            length, checksum = HEAD.unpack_from(slot)
            content = slot[HEAD.size : HEAD.size + length]
            if length and zlib.crc32(content) == checksum:
                return msgspec.json.decode(content, type=self._kind, dec_hook=decoded)
        return None


class Board:
    """`fd` is a file of SLOTS * SLOT_BYTES zeros that another process made; by default a new one without a name."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = _new_file() if fd is None else fd
        memory = mmap.mmap(self.fd, SLOTS * SLOT_BYTES)
        self.supervision = BoardSlot(memory, 0, Supervision)
        self.status = BoardSlot(memory, SLOT_BYTES, ExportStatus)
        self.alarm_supervision = BoardSlot(memory, 2 * SLOT_BYTES, Supervision)
        self.manager_supervision = BoardSlot(memory, 3 * SLOT_BYTES, Supervision)
        self.feed_supervision = BoardSlot(memory, 4 * SLOT_BYTES, Supervision)

    def __reduce__(self) -> tuple[Callable[[Any], Board], tuple[Any]]:
        """For a worker that is spawned; one that is forked has the memory already."""
        return _of_another_process, (DupFd(self.fd),)


def _of_another_process(handle: Any) -> Board:
    return Board(handle.detach())


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("nof0-exporter")
    else:
        fd, path = tempfile.mkstemp(prefix="nof0-exporter-")
        os.unlink(path)
    os.truncate(fd, SLOTS * SLOT_BYTES)
    return fd


# The board of this process, when `serve` started it: health and metrics read it.
_board: Board | None = None


def use(board: Board) -> None:
    global _board
    _board = board


def in_use() -> Board | None:
    return _board
