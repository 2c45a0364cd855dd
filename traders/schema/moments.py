"""The years in which every stored moment lies. Seconds or nanoseconds read as milliseconds fall outside, as do the zero
times of other languages and infinity."""

from __future__ import annotations

from datetime import UTC, datetime

from traders.schema.messages import _

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
EARLIEST_MS, LATEST_MS = int(EARLIEST.timestamp()) * 1000, int(LATEST.timestamp()) * 1000
YEARS = _("of a year from 2010 to 2099")


def in_years(moment: datetime) -> datetime:
    """Raises ValueError outside the years."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(_("must be a moment %(years)s", years=YEARS))
    return moment
