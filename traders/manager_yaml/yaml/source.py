"""Reads a regular file up to a limit. Pipes, devices and directories are refused without waiting."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from traders.schema.messages import MessageError, _

MEBIBYTE = 1024 * 1024

_TYPES = (
    (stat.S_ISDIR, _("a directory")),
    (stat.S_ISFIFO, _("a named pipe")),
    (stat.S_ISSOCK, _("a socket")),
    (stat.S_ISCHR, _("a device")),
    (stat.S_ISBLK, _("a device")),
)


class UnreadableFile(MessageError):
    """The message completes '<file> ...'."""


class Absent(UnreadableFile):
    pass


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Raises Absent, or UnreadableFile for anything but a readable regular file of at most `limit` bytes."""
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise Absent(_("does not exist")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnreadableFile(_("cannot be read: %(reason)s", reason=reason.lower())) from None
    if len(content) > limit:
        raise UnreadableFile(_("is larger than %(limit)s MB, the most it may be", limit=limit // MEBIBYTE))
    return content


def open_regular(path: Path) -> BinaryIO:
    """Raises UnreadableFile for anything but a regular file, and OSError."""
    _require_regular(os.stat(path))
    # Opened without blocking, in case a pipe replaced the file meanwhile.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(handle))
    except UnreadableFile:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def decode(content: bytes) -> str:
    """UTF-8 text, a byte order mark at the beginning left out. Raises UnreadableFile, naming the line."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(_("is UTF-16; save it as UTF-8"))
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UnreadableFile(
            _("is not UTF-8: line %(line)s holds the byte 0x%(byte)s; save it as UTF-8", line=line, byte=f"{byte:02X}")
        ) from None


def _require_regular(status: os.stat_result) -> None:
    for is_type, words in _TYPES:
        if is_type(status.st_mode):
            raise UnreadableFile(_("is %(words)s, not a file", words=words))
