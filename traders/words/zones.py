"""Writes moments in the active zone, which is that of the viewer on pages and UTC elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from django.utils import timezone


def local_of(moment: datetime, zone: tzinfo | None = None) -> datetime:
    try:
        return moment.astimezone(zone or timezone.get_current_timezone())
    except OverflowError:  # at the ends of the calendar another zone's date has no year
        return moment.astimezone(UTC)


def zone_words(moment: datetime) -> str:
    """`UTC`, `UTC+8`, `UTC-3:30`: the offset of a local moment. Short names of zones, such as CST, mean several."""
    minutes = int((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def exact(moment: datetime) -> str:
    """`2026-11-01 14:05:30 UTC+8`"""
    local = local_of(moment)
    return f"{local:%Y-%m-%d %H:%M:%S} {zone_words(local)}"


def to_the_minute(moment: datetime) -> str:
    """`2026-11-01 14:05 UTC+8`"""
    local = local_of(moment)
    return f"{local:%Y-%m-%d %H:%M} {zone_words(local)}"
