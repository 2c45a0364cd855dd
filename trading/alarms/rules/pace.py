"""When a message is tried again."""

from __future__ import annotations

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0
GIVE_UP_SECONDS = 86_400.0
"""A message that could not be sent for so long has failed."""


def pause_seconds(attempts: int, chance: float) -> float:
    """Until the next attempt, after so many. `chance` (0 to 1) spreads it from half of the pause to all of it, so that
    a receiver that was away is not met by everything at once."""
    whole = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(max(attempts - 1, 0), 16))
    return whole * (0.5 + 0.5 * chance)
