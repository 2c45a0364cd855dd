"""Reads a request's body on the event loop, under a deadline and within bounds, before any thread is taken for it."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any

from nof0site.serving.body_limits import MEGABYTE, BodyRefused, too_large

Receive = Callable[[], Awaitable[dict[str, Any]]]
# Beyond this a body is kept in a temporary file.
SPOOL_FROM_BYTES = MEGABYTE
# All bodies of one worker together, in memory or in files.
TOTAL_BYTES = 256 * MEGABYTE
# A body that takes longer than this counts as slow, and one address may send so many slow ones at the same time.
SLOW_SECONDS = 2.0
SLOW_PER_ADDRESS = 64
RETRY_SECONDS = 5


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


@dataclass
class BodyReader:
    """All bodies that one event loop reads. `seconds` is the time for any body, and `rate` (bytes per second) what a
    longer one must keep to beyond it: one of n bytes must be there after seconds + n / rate.
    """

    seconds: float
    rate: float
    total: int = 0
    slow: Counter[str] = field(default_factory=Counter)

    async def read(self, receive: Receive, limit: int, address: str) -> IO[bytes]:
        """The whole body, at its beginning. Raises BodyRefused (408, 413, 503) and ClientGone."""
        reading = _Reading(self, receive, limit, address)
        try:
            return await reading.whole()
        finally:
            reading.leave()


class _Reading:
    def __init__(self, bodies: BodyReader, receive: Receive, limit: int, address: str) -> None:
        self._bodies, self._receive, self._limit, self._address = bodies, receive, limit, address
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._count = 0
        self._is_slow = False

    async def whole(self) -> IO[bytes]:
        file = tempfile.SpooledTemporaryFile(max_size=SPOOL_FROM_BYTES)  # noqa: SIM115  (the page closes it)
        try:
            while True:
                chunk, is_last = await self._next()
                self._take(len(chunk))
                # Into memory, or beyond SPOOL_FROM_BYTES into the system's cache of a file.
                file.write(chunk)
                if is_last:
                    file.seek(0)
                    return file
        except BaseException:
            file.close()
            raise

    def leave(self) -> None:
        self._bodies.total -= self._count
        if self._is_slow:
            self._bodies.slow[self._address] -= 1
            # Without this the counter would keep every address that ever was slow.
            if not self._bodies.slow[self._address]:
                del self._bodies.slow[self._address]

    async def _next(self) -> tuple[bytes, bool]:
        """(what came next, whether it was the last). Raises BodyRefused and ClientGone."""
        coming = asyncio.ensure_future(self._receive())
        try:
            if not await self._comes_within(coming, self._began + SLOW_SECONDS):
                self._call_slow()
            deadline = self._began + self._bodies.seconds + self._count / self._bodies.rate
            if not await self._comes_within(coming, deadline):
                raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.")
        finally:
            coming.cancel()
        message = coming.result()
        if message["type"] != "http.request":
            raise ClientGone
        return message.get("body", b""), not message.get("more_body", False)

    async def _comes_within(self, coming: asyncio.Future[Any], deadline: float) -> bool:
        """Waits without cancelling, because a cancelled read could lose data that has just arrived."""
        if coming.done():
            return True
        await asyncio.wait({coming}, timeout=max(0.0, deadline - self._loop.time()))
        return coming.done()

    def _call_slow(self) -> None:
        if self._is_slow:
            return
        if self._bodies.slow[self._address] >= SLOW_PER_ADDRESS:
            said = "Too many bodies are arriving slowly from this address."
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_seconds=RETRY_SECONDS)
        self._bodies.slow[self._address] += 1
        self._is_slow = True

    def _take(self, count: int) -> None:
        self._count += count
        self._bodies.total += count
        if self._count > self._limit:
            raise too_large(self._limit)
        if self._bodies.total > TOTAL_BYTES:
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is being sent.", retry_seconds=RETRY_SECONDS)


async def until_gone(receive: Receive) -> None:
    """After the body. Returns when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
