"""Moments as people type them on a command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def past_moment(text: str) -> datetime:
    """`2026-11-01T12:00Z`, `2026-11-01 12:00` (UTC), or `2026-11-01` (its beginning, UTC).

    Raises ArgumentTypeError for what is none of these, and for what is yet to come.
    """
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r} is no moment; write it like 2026-11-01T12:00Z or 2026-11-01")
    if timezone.is_naive(moment):
        moment = moment.replace(tzinfo=UTC)
    if moment > timezone.now():
        raise ArgumentTypeError(f"{text} is yet to come")
    return moment
