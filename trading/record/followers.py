"""Who is told of a new row of the record while it is written: guards, which lie above this layer and register."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from django.db import transaction


class RecordedKind(Enum):
    DECISION = "decision"
    EQUITY = "equity"
    EVENT = "event"
    TRADE = "trade"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """`ts_ms` is the moment of what happened, not that of its recording."""

    kind: RecordedKind
    trader_id: str
    ts_ms: int
    symbol: str = ""


Follower = Callable[[RecordedFact], None]
_followers: list[Follower] = []


def register(*followers: Follower) -> None:
    """In place of those that were registered before."""
    _followers[:] = followers


@contextmanager
def followed() -> Iterator[Callable[[RecordedFact], None]]:
    """One transaction for a row and what its followers do about it; gives the function that tells them. A follower
    keeps its own failures to itself."""
    with transaction.atomic():
        yield _tell


def _tell(fact: RecordedFact) -> None:
    for follower in _followers:
        follower(fact)
