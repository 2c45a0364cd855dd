"""Which layout is written and which is read: one field of the control hash, followed by every process.

A call uses a mode that is at most `FOLLOW_SECONDS` old: it asks again before it starts when that time is over. So a
process that was idle needs no thread to follow. Each process says which revision it follows; it does so only when
none of its calls still runs under an older one.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import msgspec

from traders.schema.messages import _
from trading.live.keys import CONTROL
from trading.live.redis import layouts
from trading.live.redis.layout import Layout
from trading.live.redis.outage import Client, outage
from trading.live.redis.scripts import SWITCH
from trading.record.rules.errors import RecordError

FOLLOW_SECONDS = 0.25
# A process not seen for this long is gone, or idle and will ask before its next call.
GONE_AFTER_SECONDS = 10.0
FIELD, FILLED, FOLLOWER = "mode", "filled", "follower:"


class ModeState(msgspec.Struct, frozen=True):
    """`mode` is one of `layouts`. `read_new_pct`: the share of traders (and symbols) whose reads go to the new layout;
    it matters where the mode writes two layouts."""

    mode: str = layouts.PRESENT
    read_new_pct: int = 100
    revision: int = 0

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Those that are written, in order."""
        return layouts.active(self.mode)

    def reads_new(self, field: str) -> bool:
        """Stable: a field that reads the new layout at 10 % does so at 20 % too."""
        return share_of(field) < self.read_new_pct

    def __str__(self) -> str:
        share = f", {self.read_new_pct} % of reads from the new layout" if len(self.layouts) > 1 else ""
        return f"{self.mode}{share}"


def share_of(field: str) -> int:
    """0 to 99, by the symbol or the trader: `{provider}:{symbol}` goes with its symbol."""
    return zlib.crc32(field.rpartition(":")[2].encode()) % 100


class Follower:
    """One a process. `filled_us`: when the store was filled as a whole; 0: not since it was empty, None: not known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start_over()

    def forget(self) -> None:
        """As a process that has just begun."""
        self._start_over()

    def _start_over(self) -> None:
        self._pid = os.getpid()
        self.id = f"{socket.gethostname()}:{self._pid}:{uuid4().hex[:6]}"
        self._state = ModeState()
        self.filled_us: int | None = None
        self._asked_at = float("-inf")
        self._acknowledged = (-1, float("-inf"))
        self._in_use: dict[int, int] = {}

    @contextmanager
    def in_use(self) -> Iterator[ModeState]:
        """The mode to work by; as long as the block runs, this process does not acknowledge a newer one."""
        state = self.begin()
        try:
            yield state
        finally:
            self.end(state)

    def begin(self) -> ModeState:
        """As `in_use`, for the hottest path; `end` must follow."""
        self.current()
        with self._lock:
            state = self._state
            self._in_use[state.revision] = self._in_use.get(state.revision, 0) + 1
        return state

    def end(self, state: ModeState) -> None:
        with self._lock:
            self._in_use[state.revision] -= 1
            if not self._in_use[state.revision]:
                del self._in_use[state.revision]

    def current(self, *, now: bool = False) -> ModeState:
        """Asks Redis when the last answer is too old, or with `now`; keeps the last one while Redis is away."""
        if self._pid != os.getpid():
            self._start_over()
        if now or time.monotonic() - self._asked_at > FOLLOW_SECONDS:
            outage.attempt(self._ask, None, what="follow")
        return self._state

    def _ask(self, client: Client) -> None:
        started = time.monotonic()
        raw, filled = client.hmget(CONTROL, [FIELD, FILLED])
        stored = msgspec.json.decode(raw, type=ModeState) if raw else ModeState()
        # Fails closed: a version that does not know the mode writes nothing.
        layouts.active(stored.mode)
        if stored.revision >= self._state.revision:
            self._state = stored
        else:
            # Redis was emptied: what was switched stays switched.
            client.hset(CONTROL, FIELD, msgspec.json.encode(self._state))
        self.filled_us = int(filled or 0)
        self._asked_at = started
        self._acknowledge(client)

    def _acknowledge(self, client: Client) -> None:
        with self._lock:
            revision = min([self._state.revision, *self._in_use])
        said, said_at = self._acknowledged
        if revision != said or time.monotonic() - said_at > GONE_AFTER_SECONDS / 4:
            client.hset(CONTROL, FOLLOWER + self.id, f"{revision}:{time.time():.3f}")
            self._acknowledged = (revision, time.monotonic())


follower = Follower()


class Outdated(RecordError):
    """The mode was switched since it was read."""

    def __init__(self, now: ModeState) -> None:
        super().__init__(_("The mode changed meanwhile: it is now %(now)s. The step was not taken.", now=now))


def switch(client: Client, mode: str, read_new_pct: int, *, seen: int | None = None) -> ModeState:
    """Everybody follows within a second. The caller waits with `wait_for_acknowledgements`.

    `seen`: the revision from which to switch, by default the one of now. Raises Outdated where another one is stored.
    """
    before = follower.current(now=True).revision
    # By the clock, so that it also exceeds revisions that processes remember from before Redis was emptied.
    state = ModeState(str(mode), read_new_pct, max(before + 1, time.time_ns() // 1_000_000))
    if not SWITCH.run(client, [CONTROL], FIELD, msgspec.json.encode(state), before if seen is None else seen):
        raise Outdated(follower.current(now=True))
    return follower.current(now=True)


def followers(client: Client) -> dict[str, tuple[int, float]]:
    """{process: (the revision it follows, seconds since it was heard of)}, those heard of lately."""
    found: dict[str, tuple[int, float]] = {}
    for field, raw in client.hgetall(CONTROL).items():
        if field.startswith(FOLLOWER.encode()):
            revision, _, at = raw.decode().partition(":")
            if (silent := time.time() - float(at)) < GONE_AFTER_SECONDS:
                found[field.decode().removeprefix(FOLLOWER)] = (int(revision), silent)
    return found


def wait_for_acknowledgements(client: Client, state: ModeState, timeout_seconds: float = 15.0) -> list[str]:
    """Those that have not acknowledged when the time is over; empty: everybody follows."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        follower.current(now=True)
        late = [name for name, (revision, _) in followers(client).items() if revision < state.revision]
        if not late or time.monotonic() > deadline:
            return late
        time.sleep(0.05)


def forget_the_gone(client: Client) -> int:
    """Removes the marks of processes that were not heard of for an hour."""
    gone: list[Any] = [
        field
        for field, raw in client.hgetall(CONTROL).items()
        if field.startswith(FOLLOWER.encode()) and time.time() - float(raw.decode().partition(":")[2]) > 3600
    ]
    return int(client.hdel(CONTROL, *gone)) if gone else 0
