"""The reason of a change: required from every operator, stored permanently."""

from __future__ import annotations

from traders.schema.messages import TranslatableText, _
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


def _problem(reason: str) -> TranslatableText | None:
    if not reason:
        return _("is required: say why, in a few words")
    if len(reason) > MAX_LENGTH:
        return _("must have at most %(most)s characters, was %(count)s", most=MAX_LENGTH, count=len(reason))
    if unprintable(reason, allowed="\n\t") is not None:
        return _("must not hold control characters")
    if problem := turned(reason):
        return problem
    if secret := find_secret(reason):
        return _("seems to hold %(kind)s; history keeps secrets for ever", kind=secret)
    return None
