"""Makes an engine obey: it receives controls, holds a lease for entries, and acknowledges."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .answers import Beat, Changes, Config, ControlChange, Desired, RefusedBeat, Wanted
from .client import Client
from .errors import Conflict


@dataclass(frozen=True, slots=True)
class Obeyed:
    """The result of a control, as it is acknowledged."""

    result: Literal["done", "partial", "refused"] = "done"
    note: str | None = None


class ControlLoop:
    """Follows the controls of the traders that an engine runs. Threads may share it: one calls `beat`, one
    `follow_once`, and each asks `may_open` right before it sends an order.

    `obey(control, trader_id)` does what a control asks of a trader and says what became of it; a control of the fleet
    comes once for each trader. `apply(config)` runs a version from the next cycle on. Where one of them raises, the
    cursor stays, so that the change comes again.
    """

    def __init__(
        self,
        client: Client,
        trader_ids: Sequence[str],
        *,
        obey: Callable[[ControlChange, str], Obeyed],
        apply: Callable[[Config], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._trader_ids = client, list(trader_ids)
        self._obey, self._apply, self._clock = obey, apply, clock
        self._lock = threading.Lock()
        self._wanted: dict[str, Wanted] = {}
        self._until: dict[str, float] = {}
        self._banned_at: dict[str, float] = {}

    def may_open(self, trader_id: str) -> bool:
        """Whether a position may be opened, increased or flipped now: false under a ban, and once the server has not
        answered for as long as its last answer allowed."""
        with self._lock:
            return self._clock() < self._until.get(trader_id, float("-inf"))

    def desired(self, trader_id: str) -> Desired | None:
        """The wanted state of the last answer; None before the first."""
        with self._lock:
            found = self._wanted.get(trader_id)
        return found["desired"] if found else None

    def version(self, trader_id: str) -> int | None:
        """The version to run; None before the first answer."""
        with self._lock:
            found = self._wanted.get(trader_id)
        return found["version"] if found else None

    def beat(self, beats: Sequence[Beat]) -> list[RefusedBeat]:
        """Sends heartbeats, which renew the leases; a refused trader has no lease any more."""
        asked_at = self._clock()
        answer = self._client.heartbeats(beats)
        self._renew({runtime["trader_id"]: runtime for runtime in answer["runtimes"]}, asked_at)
        with self._lock:
            for refused in answer["refused"]:
                self._until.pop(refused["trader_id"], None)
        return answer["refused"]

    def begin(self) -> str:
        """Applies the current configurations, and returns the cursor to continue from."""
        standing = self._client.configs(*self._trader_ids)
        for config in standing["configs"]:
            self._apply(config)
        return standing["cursor"]

    def follow(self, cursor: str | None = None) -> Iterator[str]:
        """Endless: applies, obeys and acknowledges changes as they come, and gives the cursor to store after each; a
        stored one continues. Leases come from `beat` alone, in another thread, because an event may arrive late; a ban
        ends them at once."""
        while True:
            if cursor is None:
                yield (cursor := self.begin())
            try:
                for found in self._client.stream_or_changes(cursor, config_ids=self._trader_ids):
                    self._take(found, asked_at=None)
                    yield found["cursor"]
            except Conflict:
                cursor = None

    def follow_once(self, cursor: str, *, wait_seconds: float = 20.0) -> str:
        """Waits for changes, applies, obeys and acknowledges them; returns the cursor to continue from. A cursor of
        another history, as after a backup was restored, begins with the current configurations. Leases count from the
        request on."""
        asked_at = self._clock()
        try:
            found = self._client.changes(cursor, wait_seconds=wait_seconds, config_ids=self._trader_ids)
        except Conflict:
            return self.begin()
        self._take(found, asked_at)
        return found["cursor"]

    def _take(self, found: Changes, asked_at: float | None) -> None:
        self._renew(found["wanted"], asked_at)
        for change in found["changes"]:
            if change["kind"] == "control":
                self._follow(change)
            else:
                self._apply(change)

    def _follow(self, control: ControlChange) -> None:
        if control["config"] is not None:
            self._apply(control["config"])
        for trader_id in self._trader_ids if control["trader_id"] is None else [control["trader_id"]]:
            said = self._obey(control, trader_id)
            self._client.acknowledge(trader_id, control["control_id"], said.result, note=said.note)

    def _renew(self, wanted: Mapping[str, Wanted], asked_at: float | None) -> None:
        """Renews a lease from the moment of the request on, because the answer may have taken long. An answer to a
        request from before a ban allows nothing any more. `asked_at` None: of a stream, which renews none."""
        with self._lock:
            for trader_id, found in wanted.items():
                seconds = found["entries_allowed_for_s"]
                if seconds and asked_at is not None and asked_at < self._banned_at.get(trader_id, float("-inf")):
                    continue
                self._wanted[trader_id] = found
                if not seconds:
                    self._banned_at[trader_id] = self._clock()
                    self._until.pop(trader_id, None)
                elif asked_at is not None:
                    self._until[trader_id] = max(asked_at + seconds, self._until.get(trader_id, float("-inf")))
