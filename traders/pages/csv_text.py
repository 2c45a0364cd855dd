"""CSV that a spreadsheet may open: what it would run as a formula stays a text."""

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
    """Led by an apostrophe where a spreadsheet would run it. For texts alone: a negative number is none."""
    return f"'{text}" if text.startswith(_FORMULA) else text
