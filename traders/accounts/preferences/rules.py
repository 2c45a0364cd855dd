"""Time zones by name."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

COOKIE = "zone"
"""Names the browser's own zone; control.js sets it."""
_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
_LONGEST_NAME = 64


@lru_cache(maxsize=1000)
def known_zone(name: str) -> ZoneInfo | None:
    """None for what is no zone of this machine: a cookie may hold any text."""
    if not name or len(name) > _LONGEST_NAME or name not in _names():
        return None
    return ZoneInfo(name)


@cache
def zones_by_region() -> list[tuple[str, list[str]]]:
    """`[("Africa", ["Africa/Abidjan", ...]), ...]`: those named after places, without the aliases of old systems."""
    named = sorted(name for name in _names() if name.partition("/")[0] in _REGIONS)
    return [(region, list(names)) for region, names in groupby(named, key=lambda name: name.partition("/")[0])]


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
