"""Raw bytes -> answers that know their age, and the count of them."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from traders.schema import moments
from trading.live.keys import CONTROL, Key
from trading.live.redis import codec
from trading.live.redis.outage import outage
from trading.schema.live_store.answers import Answer, Corrupt, Fresh, Missing, StaleValue
from trading.schema.live_store.values import US_PER_SECOND, Value

log = logging.getLogger(__name__)
COUNTED = "reads"
_FLUSH_SECONDS = 10.0


def now_us() -> int:
    return time.time_ns() // 1000


ENDS: dict[type, str] = {Fresh: "fresh", StaleValue: "stale", Missing: "missing", Corrupt: "corrupt"}
"""How a read ends, as the fields of the control hash name it: a contract, whatever the classes are called."""


class ReadCounts:
    """How reads ended, by key: kept in the process, and added to the control hash every ten seconds at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: Counter[str] = Counter()
        self._flushed_at = time.monotonic()
        self._reported: set[str] = set()

    def add(self, key: Key, answers: Sequence[Answer[Any]]) -> None:
        with self._lock:
            for kind, count in Counter(map(type, answers)).items():
                self._pending[f"{COUNTED}:{key.name}:{ENDS[kind]}"] += count
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
                for field, count in pending.items():
                    pipe.hincrby(CONTROL, field, count)
                pipe.execute()
            return True

        if not outage.attempt(work, False, what="count"):
            with self._lock:
                self._pending.update(pending)

    def report(self, key: Key, field: str, reason: str) -> None:
        """Each spoilt field is logged once a process."""
        if (place := f"{key.name} {field}") not in self._reported:
            self._reported.add(place)
            log.warning("The live store skips %s: %s", place, reason)


counts = ReadCounts()


def answer(key: Key, field: str, raw: bytes | None, now: int) -> Answer[Any]:
    """`now` in microseconds."""
    if raw is None:
        return Missing()
    try:
        value = codec.decode(raw, key)
    except codec.NotAValue as error:
        counts.report(key, field, str(error))
        return Corrupt(str(error))
    return aged(key, value, now)


def aged(key: Key, value: Value, now: int) -> Answer[Any]:
    """A negative age lies ahead of this server's clock: fresh as far as records may lie ahead."""
    age = (now - value.as_of) / US_PER_SECOND
    return Fresh(value, age) if -moments.allowed_seconds() <= age <= key.allowed_age else StaleValue(value, age)


def list_answer(key: Key, field: str, items: Sequence[bytes] | None, now: int) -> Answer[Any]:
    """Of a list: its items as a tuple; spoilt ones are reported and skipped."""
    if not items:
        return Missing()
    values = []
    for raw in items:
        try:
            values.append(codec.decode(raw, key))
        except codec.NotAValue as error:
            counts.report(key, field, str(error))
    if not values:
        return Corrupt("no item of the list is a value")
    first = aged(key, values[0], now)
    assert isinstance(first, Fresh | StaleValue)
    return type(first)(tuple(values), first.age_seconds)
