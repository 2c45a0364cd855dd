"""CSV lines in which a spreadsheet runs no formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def line(cells: Iterable[str]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def harmless(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would run as a formula. Not for numbers: -1 is no formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
