"""Why a change is made: asked of every operator, kept for ever."""

from __future__ import annotations

from traders.schema.problems import InvalidConfig, Problem
from traders.schema.secrets import find_secret
from traders.schema.settings.declare import unprintable
from traders.schema.settings.validate import turned

MAX_LENGTH = 1000


def required_reason(reason: str) -> str:
    """The reason, trimmed. Raises InvalidConfig at `reason` when it is empty, too long or holds a secret."""
    reason = reason.strip()
    if problem := _problem(reason):
        raise InvalidConfig([Problem("reason", problem)])
    return reason


def _problem(reason: str) -> str | None:
    if not reason:
        return "is required: say why, in a few words"
    if len(reason) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters, was {len(reason)}"
    if unprintable(reason, allowed="\n\t") is not None:
        return "must not hold control characters"
    if problem := turned(reason):
        return problem
    if secret := find_secret(reason):
        return f"looks like it holds {secret}; history cannot forget a secret"
    return None
