"""What the web server calls: one ASGI application a worker, in front of the read API and of Django.

The event loop answers whole public documents itself, reads bodies, and sends answers. Python that may wait for a store
runs in threads: `pages` for Django, and `others` for the rest of the read API, health and metrics, which never wait for
a page.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any, TypeVar

from nof0site.serving.bodies import Bodies, Gone
from nof0site.serving.body_limits import BodyLimit, BodyRefused, Policy, announced_length, too_large
from nof0site.serving.environ import environ_of, with_body
from nof0site.serving.limited import LimitedAnswer, asked
from nof0site.serving.refusals import refusal
from nof0site.serving.replies import Aborted, Application, Reply, Send
from trading.export.public_api.application import ReadApi

OTHER_THREADS = 2
QUEUE_OF_OTHERS = 1000
BUSY_RETRY_SECONDS = 2

log = logging.getLogger(__name__)
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Environ = dict[str, Any]
T = TypeVar("T")


class Threads:
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


@dataclass
class Front:
    """`address` is {environ: where the client is}, for the bounds of one client."""

    api: ReadApi
    policy: Policy
    bodies: Bodies
    pages: Threads
    address: Callable[[Environ], str]
    others: Threads = field(default_factory=lambda: Threads("others", OTHER_THREADS, QUEUE_OF_OTHERS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if (quick := self.api.quick(scope)) is not None:
            status, headers, content = quick
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})
            return
        environ = environ_of(scope)
        try:
            await self._answer(environ, receive, send)
        except BodyRefused as refused:
            await _send_whole(send, *refusal(refused, environ["PATH_INFO"]))
        except Gone:
            log.debug("%s %s: the client left.", environ["REQUEST_METHOD"], environ["PATH_INFO"])

    async def _answer(self, environ: Environ, receive: Receive, send: Send) -> None:
        if not self.api.is_for_behind(environ["PATH_INFO"]):
            await self._reply(self.others, self.api, with_body(environ, io.BytesIO(), 0), receive, send)
            return
        assert self.api.behind is not None
        announced, limit = announced_length(environ), self.policy.limit(environ)
        if announced is not None and announced > limit.most:
            raise too_large(limit.most)
        may_be_large = announced is None or announced > limit.bytes
        if may_be_large and limit.after_asking:
            answer: LimitedAnswer = await self.pages.run(asked, self.api.behind, with_body(environ, io.BytesIO(), 0))
            if not answer.is_willing:
                await _send_whole(send, answer.status, [*answer.headers, ("Connection", "close")], answer.content)
                return
            limit = BodyLimit(limit.most)
        body: IO[bytes] = io.BytesIO()
        if announced != 0:
            body = await self.bodies.read(receive, limit.bytes, self.address(environ))
        length = body.seek(0, io.SEEK_END)
        body.seek(0)
        await self._reply(self.pages, self.api.behind, with_body(environ, body, length), receive, send)

    async def _reply(
        self, threads: Threads, application: Application, environ: Environ, receive: Receive, send: Send
    ) -> None:
        """Raises BodyRefused, Gone, and Aborted where a part was sent and the rest cannot be."""
        reply = Reply(asyncio.get_running_loop())
        close: Callable[[], None] = environ["wsgi.input"].close
        working = asyncio.ensure_future(threads.run(reply.run, application, environ, finally_=close))
        sending, leaving = asyncio.ensure_future(reply.send(send)), asyncio.ensure_future(_until_gone(receive))
        try:
            waiting: set[asyncio.Future[None]] = {working, sending, leaving}
            while not sending.done():
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if working in waiting and working.done():
                    waiting.discard(working)
                    working.result()
                if leaving.done() and not sending.done():
                    raise Gone
            sending.result()
        except (BodyRefused, Gone):
            raise
        except Exception as error:
            log.exception("%s %s failed.", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            if reply.is_begun:
                raise Aborted from error
            raise BodyRefused(HTTPStatus.INTERNAL_SERVER_ERROR, "The log of the server says more.") from error
        finally:
            leaving.cancel()
            sending.cancel()
            if not working.done():
                reply.abandon()
                working.cancel()


async def _until_gone(receive: Receive) -> None:
    """After the body. Returns when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_whole(send: Send, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": lines})
    await send({"type": "http.response.body", "body": content})
