"""The clients that wait for a change, and what looks for it while there are any."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error

from traders.api.changes.waiting import WaitingAnswer, WaitingClient, WaitingLook, close_connection, look
from traders.schema.cursor import Cursor

# Without an announcement a change is found after at most this time, and so is the end of a token.
RECHECK_SECONDS = 1.0

log = logging.getLogger(__name__)
Listen = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]


class WaitingRoom:
    """All that is not named otherwise belongs to the event loop. One thread looks into the database, for all at once.

    `listen(heard)` calls `heard` at each announcement until it is cancelled; None: none can be heard.
    """

    def __init__(self, listen: Listen | None) -> None:
        self._listen = listen
        self._waiting: dict[WaitingClient, asyncio.Future[WaitingAnswer]] = {}
        self._news = asyncio.Event()
        self._newest = Cursor(0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changes")
        self.is_away = False
        self.is_over = False

    def join(self, client: WaitingClient, seconds: float | None) -> asyncio.Future[WaitingAnswer]:
        """The answer to come: as soon as there is a change, or after these seconds. Call `leave` at the end."""
        self._loop = asyncio.get_running_loop()
        answer = self._waiting[client] = self._loop.create_future()
        if self.is_over:
            client.is_due = True
        elif seconds is not None:
            timer = self._loop.call_later(seconds, self._make_due, client)
            answer.add_done_callback(lambda _: timer.cancel())
        if client.is_due or client.cursor < self._newest:
            self._news.set()
        if self._looking is None:
            self._looking = self._loop.create_task(self._look_while_some_wait())
        return answer

    def leave(self, client: WaitingClient) -> None:
        if (answer := self._waiting.pop(client, None)) is not None:
            answer.cancel()

    def end(self) -> None:
        """Answers all that wait and refuses further waiting: the process is about to end. Any thread may call it."""
        self.is_over = True
        if self._loop is not None:
            # No request waits on a closed loop.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._make_all_due)

    def close(self) -> None:
        """For tests: waits for the thread."""
        self._thread.shutdown()

    def _make_due(self, client: WaitingClient) -> None:
        client.is_due = True
        self._news.set()

    def _make_all_due(self) -> None:
        for client in self._waiting:
            client.is_due = True
        self._news.set()

    async def _look_while_some_wait(self) -> None:
        loop = asyncio.get_running_loop()
        listening = loop.create_task(self._listen(self._news.set)) if self._listen else None
        try:
            while self._waiting:
                self._news.clear()
                await self._look_once(loop)
                if not any(client.cursor < self._newest for client in self._waiting):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), RECHECK_SECONDS)
        finally:
            self._looking = None
            if listening is not None:
                listening.cancel()
            loop.run_in_executor(self._thread, close_connection)

    async def _look_once(self, loop: asyncio.AbstractEventLoop) -> None:
        clients = list(self._waiting)
        try:
            found = await loop.run_in_executor(self._thread, look, clients)
        except Error as error:
            self._failed(error)
            self._ask_due_again(clients)
            # Not at once again, however many become due meanwhile.
            await asyncio.sleep(RECHECK_SECONDS)
            return
        if self.is_away:
            log.info("Changes can be looked for again.")
        self.is_away = False
        self._newest = found.newest
        self._hand_out(found)

    def _failed(self, error: Exception) -> None:
        if not self.is_away:
            log.warning("Changes cannot be looked for; %d clients wait on: %s", len(self._waiting), error)
        self.is_away = True

    def _ask_due_again(self, clients: list[WaitingClient]) -> None:
        """The endpoint refuses them and says why."""
        due = {client: WaitingAnswer(None, client.cursor) for client in clients if client.is_due}
        self._hand_out(WaitingLook(due, self._newest))

    def _hand_out(self, found: WaitingLook) -> None:
        for client, answer in found.answers.items():
            waiting = self._waiting.pop(client, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
