"""The cycle files of a directory, in order of time, one in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from traders.manager_yaml.yaml.source import UnreadableFile, decode, open_regular
from traders.schema import strict_json
from traders.schema.messages import _, message_of
from trading.imports.journal_files.moments import order_of
from trading.record.rules.errors import InvalidRecord

PATTERN = "cycle_*.json"
OnFiles = Callable[[int], None]
"""Called with the number of files read since the last call."""
LARGEST_FILE = 16 * 1024 * 1024


def find(directory: Path) -> list[Path]:
    """In no order, of the directory and those below it: engines keep one a trader. Raises OSError for what is no
    directory."""
    next(directory.iterdir(), None)
    return list(directory.rglob(PATTERN))


def cycle_files(directory: Path, on_files: OnFiles = lambda count: None) -> list[Path]:
    """In order of the times inside: names say the second only, and their numbers restart with each engine.

    Raises OSError for what is no directory.
    """

    def order(path: Path) -> tuple[tuple[str, str], str]:
        on_files(1)
        return _order(path), str(path)

    return sorted(find(directory), key=order)


def read_json(path: Path) -> Any:
    """Raises InvalidRecord for what is no file that can be read, not UTF-8, not JSON, or too large for one cycle."""
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST_FILE + 1)
    except UnreadableFile as error:
        raise InvalidRecord("", message_of(error)) from None
    except OSError as error:
        raise InvalidRecord("", _("cannot be read: %(reason)s", reason=error.strerror or error)) from None
    if len(content) > LARGEST_FILE:
        raise InvalidRecord("", _("is larger than %(most)s bytes, which no cycle is", most=f"{LARGEST_FILE:,}"))
    try:
        return strict_json.loads(decode(content), keep_no_numbers=True)
    except (UnreadableFile, ValueError) as error:
        raise InvalidRecord("", message_of(error)) from None


def _order(path: Path) -> tuple[str, str]:
    try:
        with open_regular(path) as file:
            return order_of(file.read(LARGEST_FILE))
    except (OSError, UnreadableFile):
        return "", ""
