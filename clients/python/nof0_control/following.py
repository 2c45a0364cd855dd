"""Following what changes: by a stream of events, or by requests that wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import httpx

from .answers import Changes, Configs
from .connection import FIRST_PAUSE_SECONDS, Connection, decoded, retry_after
from .encoding import decode, flag
from .errors import Conflict, Unavailable

# The server's longest; the connection may stay silent so long.
LONGEST_WAIT_SECONDS = 55.0
EVENTS = "text/event-stream"
# A server that sends no events answers as to a request that waits.
ACCEPTED = f"{EVENTS}, application/json;q=0.5"


class FollowingRequests:
    """Part of `Client`: scope read-config."""

    _connection: Connection

    def configs(self, *config_ids: str, retired: bool = False) -> Configs:
        """The current configurations, and the cursor for `changes`."""
        params = [*(("config_id", config_id) for config_id in config_ids), ("retired", flag(retired))]
        return cast(Configs, self._connection.send("GET", "/configs", params=params))

    def changes(
        self, cursor: str, *, wait_seconds: float = 30.0, config_ids: Iterable[str] = (), limit: int = 100
    ) -> Changes:
        """Versions and controls since the cursor, as soon as there is one. Raises Conflict for a cursor of another
        history."""
        answer = self._connection.answer(
            "GET",
            "/changes",
            params=_params(cursor, wait_seconds, config_ids, limit),
            silent_seconds=_wait(wait_seconds),
        )
        return cast(Changes, decoded(answer))

    def stream(
        self, cursor: str, *, wait_seconds: float = 30.0, config_ids: Iterable[str] = (), limit: int = 100
    ) -> Iterator[Changes]:
        """An answer at once, possibly without changes, and one at each change, until the stream ends: then ask again
        with the last `cursor`. From a server, or through a proxy, that sends no events comes one answer, as from
        `changes`. Raises Conflict for a cursor of another history."""
        # Comments come more often than a request may wait.
        answer = self._connection.answer(
            "GET",
            "/changes",
            params=_params(cursor, wait_seconds, config_ids, limit),
            silent_seconds=max(_wait(wait_seconds), 30.0),
            accepted=ACCEPTED,
        )
        try:
            if answer.headers.get("Content-Type", "").startswith(EVENTS):
                yield from _events(answer)
                # The server stops, or the token has ended: it is not asked again at once.
                self._connection.sleep(FIRST_PAUSE_SECONDS)
                return
            answer.read()
            found = cast(Changes, decoded(answer))
            yield found
            # A server that cannot wait says when to come again.
            if not found["changes"] and (pause := retry_after(answer)):
                self._connection.sleep(pause)
        finally:
            answer.close()

    def stream_or_changes(
        self, cursor: str, *, wait_seconds: float = 30.0, config_ids: Sequence[str] = ()
    ) -> Iterator[Changes]:
        """Endless: streams one after the other. After a stream on which nothing came at all, as through a proxy that
        holds events back, it goes on with requests that wait."""
        has_streams = True
        while True:
            if not has_streams:
                found = self.changes(cursor, wait_seconds=wait_seconds, config_ids=config_ids)
                cursor = found["cursor"]
                yield found
                continue
            is_heard = False
            try:
                for found in self.stream(cursor, wait_seconds=wait_seconds, config_ids=config_ids):
                    is_heard, cursor = True, found["cursor"]
                    yield found
            except (httpx.ReadTimeout, Unavailable):
                has_streams = is_heard
            except httpx.TransportError:
                # The server stopped, or the network is away: asked again, which is repeated with longer pauses.
                self._connection.sleep(FIRST_PAUSE_SECONDS)

    def follow(
        self, cursor: str | None = None, *, wait_seconds: float = 30.0, config_ids: Sequence[str] = ()
    ) -> Iterator[Changes]:
        """Endless: first the current configurations (unless a cursor is given), then every change.

        Apply `changes` (versions, and controls: see `ControlLoop`), then store `cursor`. A change may come twice, none
        is missed. After a backup was restored it begins with the current configurations.
        """
        while True:
            if cursor is None:
                standing = self.configs(*config_ids)
                cursor = standing["cursor"]
                yield {"cursor": cursor, "more": False, "changes": [*standing["configs"]], "wanted": {}}
            try:
                for found in self.stream_or_changes(cursor, wait_seconds=wait_seconds, config_ids=config_ids):
                    if found["changes"]:
                        yield found
            except Conflict:
                cursor = None


def _wait(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _params(cursor: str, wait_seconds: float, config_ids: Iterable[str], limit: int) -> list[tuple[str, str]]:
    return [
        *(("config_id", config_id) for config_id in config_ids),
        *(("after", cursor), ("wait", str(_wait(wait_seconds))), ("limit", str(limit))),
    ]


def _events(answer: httpx.Response) -> Iterator[Changes]:
    """The data of each event. The server ends lines with a line feed alone; JSON may hold other ends of lines."""
    unread = b""
    for piece in answer.iter_bytes():
        *events, unread = (unread + piece).split(b"\n\n")
        for event in events:
            data = [line.removeprefix(b"data: ") for line in event.split(b"\n") if line.startswith(b"data: ")]
            if data:
                yield cast(Changes, decode(b"".join(data)))
