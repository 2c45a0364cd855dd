"""CSV lines in which a spreadsheet runs no formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from io import StringIO

_FORMULA = ("=", "+", "-", "@")
_CONTROLS = ("\t", "\r", "\n")
# By it spreadsheets know that a file is UTF-8.
BYTE_ORDER_MARK = "\ufeff"


def download(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a file that a browser saves."""
    yield BYTE_ORDER_MARK
    yield from lines


def line(cells: Iterable[str]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def harmless(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would run as a formula. Not for numbers: -1 is no formula."""
    return f"'{text}" if text.startswith(_CONTROLS) or _begins(text) in _FORMULA else text


def _begins(text: str) -> str:
    """The first character that is seen: a spreadsheet skips blanks, and takes a full-width sign for the plain one."""
    for character in text:
        if not character.isspace() and unicodedata.category(character) not in ("Cf", "Cc"):
            return unicodedata.normalize("NFKC", character)[:1]
    return ""
