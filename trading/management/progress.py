"""The progress of a long command: one line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

WIDTH = 30
SECONDS_BETWEEN = 0.2


class Progress:
    """A context manager; `add` counts. The line is removed at the end."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self._total, self._done, self._drawn_at = total, 0, 0.0
        self._out = out if out is not None else sys.stderr
        self._is_seen = self._out.isatty() and total > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_seen:
            self._write("")

    def add(self, count: int) -> None:
        self._done += count
        if self._is_seen and time.monotonic() - self._drawn_at >= SECONDS_BETWEEN:
            self._drawn_at = time.monotonic()
            part = min(self._done / self._total, 1)
            bar = "#" * round(part * WIDTH)
            self._write(f"[{bar:<{WIDTH}}] {part:4.0%}")

    def _write(self, line: str) -> None:
        self._out.write(f"\r\x1b[K{line}")
        self._out.flush()
