"""The times that engines write: RFC 3339 with an offset and up to nine decimals of a second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from traders.schema.messages import _

RULE = _("a time like 2026-01-08T10:30:00.123456789Z, with its zone")
_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})")
_SINCE_1970 = re.compile(r"\d{9,19}(\.\d{1,9})?")
_IN_FILE = re.compile(rb'"timestamp"\s*:\s*"?([^"\\,}\s]{1,64})')
EARLIEST_YEAR, LATEST_YEAR = 2010, 2099
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (EARLIEST_YEAR, LATEST_YEAR + 1))


def parse_moment(text: str) -> datetime:
    """UTC, cut to the microsecond. Digits alone are the time since 1970 in seconds, milliseconds, microseconds or
    nanoseconds, whichever lies in our years. Raises ValueError."""
    if _SINCE_1970.fullmatch(text):
        return _of_number(Decimal(text))
    if not _RFC_3339.fullmatch(text):
        raise ValueError(_("must be %(rule)s", rule=RULE))
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, or before the year 1
        raise ValueError(_("must be %(rule)s", rule=RULE)) from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(_("must be between the years %(first)s and %(last)s", first=EARLIEST_YEAR, last=LATEST_YEAR))
    return moment


def _of_number(number: Decimal) -> datetime:
    for per_second in (1, 10**3, 10**6, 10**9):
        moment = number / per_second
        if _EARLIEST <= moment < _LATEST:
            return _EPOCH + timedelta(microseconds=int(moment * 10**6))
    raise ValueError(_("must be between the years %(first)s and %(last)s", first=EARLIEST_YEAR, last=LATEST_YEAR))


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
    written = _RFC_3339.fullmatch(text)
    decimals = (written[1] or ".")[1:] if written else f"{moment.microsecond:06}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}", decimals.ljust(9, "0")
