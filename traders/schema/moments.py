"""The rules for stored moments: of the years 2010 to 2099, and not ahead of this server's clock.

Seconds or nanoseconds read as milliseconds fall outside the years, as do the zero times of other languages and
infinity. A record of a later moment than now would stand before all others until then: as the last price, equity or
decision.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from traders.schema.messages import TranslatableText, _

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
EARLIEST_MS, LATEST_MS = int(EARLIEST.timestamp()) * 1000, int(LATEST.timestamp()) * 1000
YEARS = _("of a year from 2010 to 2099")


def in_years(moment: datetime) -> datetime:
    """Raises ValueError for a moment outside these years."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(_("must be a moment %(years)s", years=YEARS))
    return moment


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_MS = 1_000_000
# Leaves with an end or a next time, which lie in the future.
MAY_LIE_AHEAD = frozenset({"until", "until_ms", "next_at", "cooldown_until"})
_allowed = [300]


def allow(seconds: int) -> None:
    """Sets the limit for this process, from the setting CLOCK_AHEAD_SECONDS."""
    _allowed[:] = [seconds]


def allowed_seconds() -> int:
    return _allowed[0]


def now_ms() -> int:
    return time.time_ns() // _NS_PER_MS


def latest_ms() -> int:
    """The latest moment that is accepted now."""
    return now_ms() + 1000 * allowed_seconds()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A moment too far ahead. `path` is dotted, `shown` the value as it was given."""

    path: str
    shown: str
    ahead_ms: int

    @property
    def message(self) -> TranslatableText:
        """Completes '<path> ...'."""
        return _(
            "must not lie more than %(allowed)s ahead of this server's clock, %(now)s;"
            " it is %(ahead)s ahead, was %(value)s",
            allowed=rough(allowed_seconds() * 1000),
            now=iso(now_ms()),
            ahead=rough(self.ahead_ms),
            value=self.shown,
        )


def ahead(path: str, ms: int, shown: object) -> Ahead | None:
    """None where the moment (milliseconds since 1970) is taken."""
    now = now_ms()
    return Ahead(path, str(shown), ms - now) if ms > now + 1000 * allowed_seconds() else None


def moments_ahead(value: Any, path: str = "") -> Iterator[Ahead]:
    """Of every moment in a model: datetimes, and whole numbers whose names end in `_ms` or `_ns`."""
    if isinstance(value, BaseModel):
        for name, inner in value:
            yield from field_ahead(name, inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from moments_ahead(item, f"{path}.{index}")


def field_ahead(name: str, value: Any, path: str = "") -> Iterator[Ahead]:
    """Of a field of a model, and of what is inside it."""
    path = path or name
    if name in MAY_LIE_AHEAD:
        return
    if isinstance(value, datetime):
        found = ahead(path, ms_of(value), value.isoformat())
    elif type(value) is int and name.endswith("_ms"):
        found = ahead(path, value, value)
    elif type(value) is int and name.endswith("_ns"):
        found = ahead(path, value // _NS_PER_MS, value)
    else:
        yield from moments_ahead(value, path)
        return
    if found:
        yield found


def ms_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%SZ")


def rough(ms: int) -> TranslatableText:
    """`40 s`, `6 min`, `2 h`, `12 days`."""
    seconds = round(ms / 1000)
    if seconds >= 2 * 86_400:
        return _("%(n)s days", n=f"{round(seconds / 86_400):,}")
    if seconds >= 2 * 3600:
        return _("%(n)s h", n=round(seconds / 3600))
    if seconds >= 60:
        return _("%(n)s min", n=round(seconds / 60))
    return _("%(n)s s", n=seconds)
