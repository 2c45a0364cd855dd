"""Bytes of a regular file, up to a limit; whatever else a path may lead to is refused without waiting for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MEBIBYTE = 1024 * 1024

_TYPES = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Unreadable(Exception):
    """The message completes '<file> ...'."""


class Absent(Unreadable):
    pass


def read_bytes(path: Path, *, limit: int) -> bytes:
    """Raises Absent, or Unreadable for anything but a readable regular file of at most `limit` bytes."""
    try:
        _require_regular(os.stat(path))
        # A pipe put in its place in the meantime must not block the open either.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _require_regular(os.fstat(file.fileno()))
            content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise Absent("does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreadable(f"cannot be read: {reason.lower()}") from None
    if len(content) > limit:
        raise Unreadable(f"is larger than {limit // MEBIBYTE} MB, the most it may be")
    return content


def decode(content: bytes) -> str:
    """UTF-8 text, a byte order mark at the beginning left out. Raises Unreadable, naming the line."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise Unreadable(f"is not UTF-8: line {line} holds the byte 0x{byte:02X}; save it as UTF-8") from None


def _require_regular(status: os.stat_result) -> None:
    for is_type, words in _TYPES:
        if is_type(status.st_mode):
            raise Unreadable(f"is {words}, not a file")
