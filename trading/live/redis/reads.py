"""Turns raw bytes into answers with their age, and counts the ends of reads and the keys with an EXPIRE."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from traders.schema import moments
from trading.live.keys import CONTROL, CONVERSATIONS, Key
from trading.live.redis import codec
from trading.live.redis.outage import outage
from trading.schema.live_store.answers import Answer, CorruptValue, FreshValue, MissingValue, StaleValue
from trading.schema.live_store.values import US_PER_SECOND, Value

log = logging.getLogger(__name__)
# Fields of the control hash: `reads:{key}:{end}`, `persisted:{key}`, and when the last one was.
COUNTED, KEPT, KEPT_AT = "reads", "persisted", "persisted_at_ms"
_FLUSH_SECONDS = 10.0


def now_us() -> int:
    return time.time_ns() // 1000


ENDS: dict[type, str] = {FreshValue: "fresh", StaleValue: "stale", MissingValue: "missing", CorruptValue: "corrupt"}
"""How a read ends, as the fields of the control hash name it: a contract, whatever the classes are called."""


class StoreCounts:
    """How reads ended, and how often a write found its key expiring and kept it, by key: in the process, and added to
    the control hash every ten seconds at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: Counter[str] = Counter()
        self._flushed_at = time.monotonic()
        self._reported: set[str] = set()
        self._kept_at_ms = 0

    def add(self, key: Key, answers: Sequence[Answer[Any]]) -> None:
        ends = Counter(map(type, answers)).items()
        self._add({f"{COUNTED}:{key.name}:{ENDS[kind]}": count for kind, count in ends})

    def kept(self, name: str, times: int) -> None:
        """Counts how often an EXPIRE of another program was taken off the key; nearly always 0."""
        if not times:
            return
        name = CONVERSATIONS.name if name.startswith(CONVERSATIONS.named("")) else name
        self._kept_at_ms = time.time_ns() // 1_000_000
        self._add({f"{KEPT}:{name}": times})
        self.say_once(name, "Another program let %s expire; the live store took that off.", name)

    def _add(self, found: Mapping[str, int]) -> None:
        with self._lock:
            self._pending.update(found)
            is_due = time.monotonic() - self._flushed_at > _FLUSH_SECONDS
        if is_due:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            pending, self._pending, self._flushed_at = self._pending, Counter(), time.monotonic()
        if not pending:
            return

        def work(client: Any) -> bool:
            with client.pipeline(transaction=False) as pipe:
                pipe.persist(CONTROL)
                for field, count in pending.items():
                    pipe.hincrby(CONTROL, field, count)
                if any(field.startswith(f"{KEPT}:") for field in pending):
                    pipe.hset(CONTROL, KEPT_AT, self._kept_at_ms)
                kept, *rest = pipe.execute(raise_on_error=False)
            for result in (kept, *rest):
                # A count that another program spoilt keeps no other from being counted.
                if isinstance(result, Exception) and "not an integer" not in str(result):
                    raise result
            self.kept(CONTROL, int(kept))
            return True

        if not outage.attempt(work, False, what="count"):
            with self._lock:
                self._pending.update(pending)

    def report(self, key: Key, field: str, reason: str) -> None:
        """Logs each unreadable field once a process."""
        place = f"{key.name} {field}"
        self.say_once(place, "The live store skips %s: %s", place, reason)

    def say_once(self, about: str, message: str, *parts: str) -> None:
        """Logs a message once a process."""
        if about not in self._reported:
            self._reported.add(about)
            log.warning(message, *parts)


counts = StoreCounts()


def answer(key: Key, field: str, raw: bytes | None, now: int) -> Answer[Any]:
    """`now` in microseconds."""
    if raw is None:
        return MissingValue()
    try:
        value = codec.decode(raw, key)
    except codec.NotAValue as error:
        counts.report(key, field, str(error))
        return CorruptValue(str(error))
    return aged(key, value, now)


def aged(key: Key, value: Value, now: int) -> Answer[Any]:
    """A negative age lies ahead of this server's clock: fresh as far as records may lie ahead."""
    age = (now - value.as_of) / US_PER_SECOND
    return FreshValue(value, age) if -moments.allowed_seconds() <= age <= key.allowed_age else StaleValue(value, age)


def list_answer(key: Key, field: str, items: Sequence[bytes] | None, now: int) -> Answer[Any]:
    """The items of a list as a tuple; unreadable items are reported and left out."""
    if not items:
        return MissingValue()
    values: list[Any] = []
    as_of = codec.as_of(items[0])
    for n, raw in enumerate(items):
        try:
            values.append(codec.decode_item(raw, key, as_of if n else None))
        except codec.NotAValue as error:
            counts.report(key, field, str(error))
    if not values:
        return CorruptValue("no item of the list is a value")
    first = aged(key, values[0], now)
    assert isinstance(first, FreshValue | StaleValue)
    return type(first)(tuple(values), first.age_seconds)
