"""Answers `/api/v1/changes` from the event loop: by a page's thread what can be answered at once, and when something
changes the rest: one answer to a client that waits, an event to each stream."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from nof0site.serving.bodies import ClientGone, Receive, until_gone
from nof0site.serving.changes.room import WaitingRoom
from nof0site.serving.limited import LimitedAnswer, asked
from nof0site.serving.replies import Application, Send, send_whole
from nof0site.serving.threads import PageThreads
from traders.api.changes.waiting import STREAM_TYPE, TICKET, Ticket, WaitingClient

PATH = "/api/v1/changes"
# Proxies end a connection on which nothing comes, mostly after a minute.
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": nothing new\n\n"
AWAY = b": the database does not answer; changes come when it is back\n\n"
# Of the first answer, which has a length and a type of its own.
_OF_ONE_ANSWER = ("content-length", "content-type", "cache-control")
_OF_STREAM = [
    ("Content-Type", f"{STREAM_TYPE}; charset=utf-8"),
    ("Cache-Control", "no-store"),
    # nginx would keep events back until its buffer is full.
    ("X-Accel-Buffering", "no"),
]


class ChangesServer:
    """`threads` ask the application, and no page waits for them."""

    def __init__(self, application: Application, threads: PageThreads, room: WaitingRoom) -> None:
        self._application, self._threads, self._room = application, threads, room

    @staticmethod
    def is_for(environ: dict[str, Any]) -> bool:
        return bool(environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].rstrip("/") == PATH)

    def end(self) -> None:
        """Answers all that wait, ends all streams: the process is about to end. Of any thread."""
        self._room.end()

    async def answer(self, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        """Raises BodyRefused where too many ask at the same time, and ClientGone."""
        ticket = Ticket()
        first = await self._asked(environ | {TICKET: ticket})
        client = ticket.client
        if client is None or not (ticket.is_stream or ticket.seconds):
            await send_whole(send, first.status, first.headers, first.content)
            return
        leaving = asyncio.ensure_future(until_gone(receive))
        try:
            if ticket.is_stream:
                await self._stream(client, first, leaving, send)
            else:
                await self._wait(client, ticket.seconds, environ, first.headers, leaving, send)
        finally:
            self._room.leave(client)
            leaving.cancel()

    async def _asked(self, environ: dict[str, Any]) -> LimitedAnswer:
        return await self._threads.run(asked, self._application, environ)

    async def _wait(
        self,
        client: WaitingClient,
        seconds: float,
        environ: dict[str, Any],
        headers: list[tuple[str, str]],
        leaving: asyncio.Future[None],
        send: Send,
    ) -> None:
        coming = self._room.join(client, seconds)
        both: set[asyncio.Future[Any]] = {coming, leaving}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            raise ClientGone
        content = coming.result().content
        if content is None:
            again = await self._asked(environ)
            await send_whole(send, again.status, again.headers, again.content)
            return
        lines = [(name, value) for name, value in headers if name.lower() != "content-length"]
        await send_whole(
            send, f"{HTTPStatus.OK} {HTTPStatus.OK.phrase}", [*lines, ("Content-Length", str(len(content)))], content
        )

    async def _stream(
        self, client: WaitingClient, first: LimitedAnswer, leaving: asyncio.Future[None], send: Send
    ) -> None:
        lines = [(name, value) for name, value in first.headers if name.lower() not in _OF_ONE_ANSWER] + _OF_STREAM
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        content: bytes | None = first.content
        while content is not None:
            await _send_part(send, _event(str(client.cursor), content))
            content = None if self._room.is_over else await self._next(client, leaving, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, client: WaitingClient, leaving: asyncio.Future[None], send: Send) -> bytes | None:
        """The content of the next event, with comments until it comes; None: the stream ends."""
        coming = self._room.join(client, None)
        both: set[asyncio.Future[Any]] = {coming, leaving}
        while not coming.done():
            await asyncio.wait(both, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                raise ClientGone
            if not coming.done():
                await _send_part(send, AWAY if self._room.is_away else HEARTBEAT)
        return coming.result().content


def _event(cursor: str, content: bytes) -> bytes:
    # JSON of one line.
    return b"id: %s\ndata: %s\n\n" % (cursor.encode(), content)


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
