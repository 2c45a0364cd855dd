"""How old something is, as answers say it: never below 0, and marked where it lies ahead of this server's clock."""

from __future__ import annotations

import time
from typing import Any

from traders.words.moments import SLACK_SECONDS

AHEAD = "ahead of this server's clock"


def age_seconds(at: float) -> float:
    """`at` in seconds since 1970."""
    return max(0.0, time.time() - at)


def is_far_ahead(at: float, seconds: float) -> bool:
    """More than so many seconds: what says so was written before the clock was set back, and tells nothing of now."""
    return at - time.time() > max(seconds, SLACK_SECONDS)


def described(at: float | None, name: str = "age") -> dict[str, Any]:
    """`{name}_seconds`, and beside it `{name}_note` where the moment lies ahead."""
    if at is None:
        return {f"{name}_seconds": None}
    found: dict[str, Any] = {f"{name}_seconds": round(age_seconds(at), 1)}
    return found | {f"{name}_note": AHEAD} if is_far_ahead(at, SLACK_SECONDS) else found
