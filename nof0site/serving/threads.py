"""Threads in which Python runs that may wait for a store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from nof0site.serving.body_limits import BodyRefused

BUSY_RETRY_SECONDS = 2

T = TypeVar("T")


class PageThreads:
    """At most `threads` work at the same time, and `queue` wait for one."""

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + queue
        self._taken = 0

    async def run(self, work: Callable[..., T], *given: Any, finally_: Callable[[], None] = lambda: None) -> T:
        """Raises BodyRefused when too many wait. Work that is cancelled before it began never begins.

        `finally_` is called when the work has ended or will never begin.
        """
        if self._taken >= self._most:
            finally_()
            said = "The server is busy. Send the same again."
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_seconds=BUSY_RETRY_SECONDS)
        loop = asyncio.get_running_loop()

        def leave(_: object) -> None:
            finally_()
            # The loop is closed when the server ends while work goes on.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._left)

        self._taken += 1
        working = self._pool.submit(work, *given)
        # Of the work itself: its caller may be gone long before it ends.
        working.add_done_callback(leave)
        return await asyncio.wrap_future(working)

    def close(self) -> None:
        """Waits for the work that has begun, and forgets the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _left(self) -> None:
        self._taken -= 1
