"""What happened in a row: lost trades, failed decisions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum


def losses_in_a_row(nets: Iterable[Decimal | None]) -> int:
    """`nets` of the trades of one symbol, the newest first. A loss counts, a gain ends the row; 0, and what is not
    known, neither counts nor ends it."""
    count = 0
    for net in nets:
        if net is None or net == 0:
            continue
        if net > 0:
            break
        count += 1
    return count


class Outcome(Enum):
    """Of a decision. REFUSED: a risk check held back what was decided, which is no error."""

    DONE = "done"
    ERROR = "error"
    REFUSED = "refused"


def errors_in_a_row(outcomes: Iterable[Outcome]) -> int:
    """The newest first. A refused check neither counts nor ends the row."""
    count = 0
    for outcome in outcomes:
        if outcome is Outcome.DONE:
            break
        count += outcome is Outcome.ERROR
    return count
