"""What an import refused: all of it as JSON lines in a file, made at the first reject only, and some on the screen."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from traders.schema import jsonio
from trading.schema.reject import Reject

SHOWN = 20
SOME_REFUSED, NOTHING_WRITTEN = 3, 1


class Rejects:
    """A context manager whose `add` is the `on_reject` of an import service.

    The file is written under a temporary name and renamed at the end, so that a reader never sees half of it. A file of
    an earlier run stays when this run refuses nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.first: list[Reject] = []
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Raises IsADirectoryError: at the end, when all is written, it would be too late to say so."""
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._partial.replace(self.path)

    def add(self, reject: Reject) -> None:
        if self._file is None:
            self._file = self._partial.open("w", encoding="utf-8", errors="backslashreplace")
        self._file.write(_line(reject) + "\n")
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(reject)

    def lines(self) -> Iterator[str]:
        """For people: the first ones, how many more, and where all of them are."""
        yield from (f"refused    {reject}" for reject in self.first)
        if more := self.count - len(self.first):
            yield f"refused    and {more:,} more"
        if self.count:
            yield f"All that was refused is in {self.path}."

    def facts(self) -> dict[str, Any]:
        """For programs: part of a report in JSON."""
        return {
            "refused": self.count,
            "rejects_file": str(self.path) if self.count else None,
            "rejects": [_facts(reject) for reject in self.first],
        }

    @property
    def _partial(self) -> Path:
        return self.path.with_name(self.path.name + ".part")


def exit_code(*, accepted: int, refused: int) -> int:
    """0: all was taken or known; 3: some were refused; 1: nothing was taken. `accepted` counts known ones too."""
    if not refused:
        return 0
    return SOME_REFUSED if accepted else NOTHING_WRITTEN


def _line(reject: Reject) -> str:
    try:
        return jsonio.dumps(_facts(reject) | {"record": _writable(reject.record)})
    except RecursionError:
        return jsonio.dumps(_facts(reject) | {"record": "nested too deeply to be written again"})


def _facts(reject: Reject) -> dict[str, Any]:
    return {"file": reject.file, "index": reject.index, "field": reject.field, "message": reject.message}


def _writable(value: Any) -> Any:
    """NaN and Infinity, for which a record may be refused, as texts: the line stays JSON."""
    if isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value
