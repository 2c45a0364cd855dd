"""Computes the parts of a page apart: a fault costs its own part, which then says since when it is missing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from traders.database.apart import TookTooLong, time_limit

LIMIT_MS = 5_000
"""Of each statement of a part: the page must come, with the other parts."""
Value = TypeVar("Value")

log = logging.getLogger(__name__)
# {part: when it first failed, since 1970}, of this process.
_failing: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class PagePart(Generic[Value]):
    """`value` is None where the part failed, since `failing_since`; `took_too_long`: a statement was ended."""

    value: Value | None
    failing_since: datetime | None = None
    took_too_long: bool = False


def computed(name: str, work: Callable[[], Value]) -> PagePart[Value]:
    """Whatever `work` raises is logged, once while it lasts."""
    try:
        with time_limit(LIMIT_MS):
            found = work()
    except Exception as error:
        if name not in _failing:
            log.exception("The part %s of the fleet page failed.", name)
        since = _failing.setdefault(name, time.time())
        return PagePart(None, datetime.fromtimestamp(since, UTC), isinstance(error, TookTooLong))
    _failing.pop(name, None)
    return PagePart(found)
