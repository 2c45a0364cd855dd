"""When a trader decides next, and how old a price may be."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

# A fleet that starts does not ask for all its decisions at once; a trader's first one is no later than this.
LONGEST_FIRST_WAIT = timedelta(seconds=20)
OLDEST_PRICE = timedelta(seconds=60)
OLDEST_CONTEXT = timedelta(minutes=10)


def first_due(trader_id: str, interval_seconds: int, now: datetime, reported_next: datetime | None) -> datetime:
    """At a start: when the trader's last report said, if that is still to come and within its interval; else soon, each
    trader at a moment of its own."""
    if reported_next is not None and now < reported_next <= now + timedelta(seconds=interval_seconds):
        return reported_next
    part = int.from_bytes(hashlib.blake2b(trader_id.encode(), digest_size=8).digest()) / 2**64
    return now + part * min(LONGEST_FIRST_WAIT, timedelta(seconds=interval_seconds))


def next_due(due: datetime, interval_seconds: int, now: datetime) -> datetime:
    """The next beat after `due` that is still to come: beats that passed meanwhile are left out, not made up for."""
    interval = timedelta(seconds=interval_seconds)
    return due + interval * max(1, (now - due) // interval + 1)


def oldest_for_entry(interval_seconds: int) -> timedelta:
    """A decision opens nothing once the prices that it saw are older than this."""
    return min(OLDEST_PRICE, timedelta(seconds=interval_seconds) / 2)
