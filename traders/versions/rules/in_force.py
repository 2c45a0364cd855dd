"""Which version of a trader was in force at a moment: one rule for positions, trades, imports, replays and commands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """What a decision names; None: it was taken before the trader's first version."""

    version: int | None


def version_in_force(
    *, newest: int | None, pinned: int | None = None, decision: NamedVersion | None = None
) -> int | None:
    """The version that the decision names, else the pinned one, else the newest of the moment; None before the first.

    Those who ask read what they need of the moment; what counts among it is decided here alone.
    """
    if decision is not None:
        return decision.version
    return newest if pinned is None else pinned
