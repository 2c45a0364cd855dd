"""The times that engines write: RFC 3339 with an offset and up to nine decimals of a second."""

from __future__ import annotations

import re
from datetime import UTC, datetime

RULE = "a time like 2026-01-08T10:30:00.123456789Z"
_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})")
_IN_FILE = re.compile(rb'"timestamp"\s*:\s*"([^"\\]{1,64})"')
EARLIEST_YEAR, LATEST_YEAR = 2010, 2099


def parse_moment(text: str) -> datetime:
    """UTC, cut to the microsecond. Raises ValueError."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"must be {RULE}")
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, or before the year 1
        raise ValueError(f"must be {RULE}") from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"must lie between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


def order_of(content: bytes) -> tuple[str, str]:
    """By what files are put in order of time, without reading them whole: the second and its decimals, in UTC.

    Files without a time come first; reading them says what is wrong.
    """
    found = _IN_FILE.search(content)
    text = found[1].decode("ascii", "replace") if found else ""
    try:
        moment = parse_moment(text)
    except ValueError:
        return "", ""
    decimals = _RFC_3339.fullmatch(text)
    assert decimals is not None
    return f"{moment:%Y-%m-%dT%H:%M:%S}", (decimals[1] or ".")[1:].ljust(9, "0")
