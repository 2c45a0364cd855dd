"""Which layout is written and which is read: one field of the control hash, followed by every process.

A call uses a mode that is at most `FOLLOW_SECONDS` old: it asks again before it starts when that time is over. So a
process that was idle needs no thread to follow. Each process says which revision it follows; it does so only when
none of its calls still runs under an older one.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import msgspec

from traders.schema.messages import TranslatableText, _, verbatim
from trading.live.keys import CONTROL
from trading.live.redis import layouts
from trading.live.redis.layout import Layout
from trading.live.redis.outage import Client, outage
from trading.live.redis.scripts import SWITCH
from trading.record.rules.errors import RecordError
from trading.schema.live_store.quotes import read_field

FOLLOW_SECONDS = 0.25
# A process not seen for this long is gone, or idle and will ask before its next call.
GONE_AFTER_SECONDS = 10.0
FORGOTTEN_AFTER_SECONDS = 3600
MOST_SHOWN = 100
FIELD, FILLED, FOLLOWER = "mode", "filled", "follower:"


class ModeState(msgspec.Struct, frozen=True):
    """`mode` is a name in `layouts`. `read_new_pct` is the share of traders (and symbols) that are read from the new
    layout; it counts where the mode writes two layouts."""

    mode: str = layouts.PRESENT
    read_new_pct: int = 100
    revision: int = 0

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The written layouts, in order."""
        return layouts.active(self.mode)

    def reads_new(self, field: str, providers: Collection[str] = ()) -> bool:
        """Stable: a field that reads the new layout at 10 % does so at 20 % too."""
        return share_of(field, providers) < self.read_new_pct

    @property
    def words(self) -> TranslatableText:
        if len(self.layouts) == 1:
            return verbatim(self.mode)
        return _("%(mode)s, %(n)s %% of reads from the new layout", mode=self.mode, n=self.read_new_pct)

    def __str__(self) -> str:
        return str(self.words)


def share_of(field: str, providers: Collection[str] = ()) -> int:
    """0 to 99, by the symbol or the trader: `{provider}:{symbol}` of a known provider goes with its symbol."""
    return zlib.crc32(read_field(field, providers).symbol.encode()) % 100


def _read(raw: bytes | None) -> ModeState:
    """Fails closed: a process that does not know the mode writes nothing. Raises UnknownMode."""
    try:
        stored = msgspec.json.decode(raw, type=ModeState) if raw else ModeState()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise layouts.UnknownMode((raw or b"")[:MOST_SHOWN].decode(errors="replace")) from None
    layouts.active(stored.mode)
    return stored


class ModeFollower:
    """One for each process. `filled_us`: when the store was last filled as a whole; 0: not since it was empty; None:
    not known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start_over()

    def forget(self) -> None:
        """Forgets everything, as a process that has just begun."""
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
        """The mode to use; as long as the block runs, this process does not acknowledge a newer one."""
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
        """Asks Redis when the last answer is too old, or with `now`; keeps the last answer while Redis is away."""
        if self._pid != os.getpid():
            self._start_over()
        if now or time.monotonic() - self._asked_at > FOLLOW_SECONDS:
            outage.attempt(self._ask, None, what="follow")
        return self._state

    def _ask(self, client: Client) -> None:
        started = time.monotonic()
        raw, filled = client.hmget(CONTROL, [FIELD, FILLED])
        stored = _read(raw)
        if stored.revision >= self._state.revision:
            self._state = stored
        else:
            # Redis was emptied: what was switched stays switched.
            client.hset(CONTROL, FIELD, msgspec.json.encode(self._state))
        self.filled_us = int(filled) if filled and filled.isdigit() else 0
        self._asked_at = started
        self._acknowledge(client)

    def _acknowledge(self, client: Client) -> None:
        with self._lock:
            revision = min([self._state.revision, *self._in_use])
        said, said_at = self._acknowledged
        if revision != said or time.monotonic() - said_at > GONE_AFTER_SECONDS / 4:
            client.hset(CONTROL, FOLLOWER + self.id, f"{revision}:{time.time():.3f}")
            self._acknowledged = (revision, time.monotonic())


follower = ModeFollower()


class ModeOutdated(RecordError):
    """The mode was switched since it was read."""

    def __init__(self, now: ModeState) -> None:
        super().__init__(_("The mode changed meanwhile: it is now %(now)s. The step was not taken.", now=now))


def switch(client: Client, mode: str, read_new_pct: int, *, seen: int | None = None) -> ModeState:
    """Everybody follows within a second. The caller waits with `wait_for_acknowledgements`.

    `seen`: the revision from which to switch, by default the current one. Raises ModeOutdated where another revision is
    stored.
    """
    before = follower.current(now=True).revision
    # By the clock, so that it also exceeds revisions that processes remember from before Redis was emptied.
    state = ModeState(str(mode), read_new_pct, max(before + 1, time.time_ns() // 1_000_000))
    if not SWITCH.run(client, [CONTROL], FIELD, msgspec.json.encode(state), before if seen is None else seen):
        raise ModeOutdated(follower.current(now=True))
    return follower.current(now=True)


def stored(client: Client) -> ModeState:
    """The mode as Redis has it. Acknowledges nothing, unlike `follower`: for a look that writes nothing."""
    return _read(client.hget(CONTROL, FIELD))


def followers(client: Client) -> dict[str, tuple[int, float]]:
    """{process: (the revision it follows, seconds since its last mark)}, of processes with a recent mark."""
    found: dict[str, tuple[int, float]] = {}
    for field, (revision, silent) in _marks(client).items():
        if silent < GONE_AFTER_SECONDS:
            found[field.decode(errors="replace").removeprefix(FOLLOWER)] = (revision, silent)
    return found


def _marks(client: Client) -> dict[bytes, tuple[int, float]]:
    """{field: (revision, age in seconds)}; a value that is no mark has an endless age."""
    found = {}
    for field, raw in client.hgetall(CONTROL).items():
        if field.startswith(FOLLOWER.encode()):
            revision, _, at = raw.decode(errors="replace").partition(":")
            try:
                found[field] = (int(revision), time.time() - float(at))
            except ValueError:
                found[field] = (0, math.inf)
    return found


def wait_for_acknowledgements(client: Client, state: ModeState, timeout_seconds: float = 15.0) -> list[str]:
    """The processes that have not acknowledged when the time is over; empty: all follow."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        follower.current(now=True)
        late = [name for name, (revision, _) in followers(client).items() if revision < state.revision]
        if not late or time.monotonic() > deadline:
            return late
        time.sleep(0.05)


def forget_the_gone(client: Client) -> int:
    """Removes the marks of processes without a mark for an hour."""
    gone: list[Any] = [field for field, (_, silent) in _marks(client).items() if silent > FORGOTTEN_AFTER_SECONDS]
    return int(client.hdel(CONTROL, *gone)) if gone else 0
