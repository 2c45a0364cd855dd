"""What the web server calls: one ASGI application a worker, in front of the read API and of Django.

The event loop answers whole public documents itself, reads bodies, and sends answers. Python that may wait for a store
runs in threads: `pages` for Django, and `others` for the rest of the read API, health and metrics, which never wait for
a page. Clients that wait for changes take no thread while they do (`serving.changes`).
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any

from nof0site.serving.bodies import BodyReader, ClientGone, Receive, until_gone
from nof0site.serving.body_limits import BodyLimit, BodyRefused, Policy, announced_length, too_large
from nof0site.serving.changes.server import ChangesServer
from nof0site.serving.environ import environ_of, with_body
from nof0site.serving.limited import LimitedAnswer, asked
from nof0site.serving.refusals import refusal
from nof0site.serving.replies import Application, PageReply, ReplyAborted, Send, send_whole
from nof0site.serving.threads import PageThreads
from trading.export.public_api.application import ReadApi

OTHER_THREADS = 2
QUEUE_OF_OTHERS = 1000

log = logging.getLogger(__name__)
Scope = Mapping[str, Any]
Environ = dict[str, Any]


@dataclass
class FrontServer:
    """`address` is {environ: where the client is}, for the bounds of one client. `changes` None: the engine API is not
    served, or clients cannot wait."""

    api: ReadApi
    policy: Policy
    bodies: BodyReader
    pages: PageThreads
    address: Callable[[Environ], str]
    changes: ChangesServer | None = None
    others: PageThreads = field(default_factory=lambda: PageThreads("others", OTHER_THREADS, QUEUE_OF_OTHERS))

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
            await send_whole(send, *refusal(refused, environ["PATH_INFO"]))
        except ClientGone:
            log.debug("%s %s: the client left.", environ["REQUEST_METHOD"], environ["PATH_INFO"])

    def end_waiting(self) -> None:
        """Answers the clients that wait for a change, and lets none wait again. Of any thread."""
        if self.changes is not None:
            self.changes.end()

    async def _answer(self, environ: Environ, receive: Receive, send: Send) -> None:
        if not self.api.is_for_behind(environ["PATH_INFO"]):
            await self._reply(self.others, self.api, with_body(environ, io.BytesIO(), 0), receive, send)
            return
        assert self.api.behind is not None
        announced, limit = announced_length(environ), self.policy.limit(environ)
        if announced is not None and announced > limit.most:
            raise too_large(limit.most)
        if announced == 0 and self.changes is not None and self.changes.is_for(environ):
            await self.changes.answer(with_body(environ, io.BytesIO(), 0), receive, send)
            return
        may_be_large = announced is None or announced > limit.bytes
        if may_be_large and limit.after_asking:
            answer: LimitedAnswer = await self.pages.run(asked, self.api.behind, with_body(environ, io.BytesIO(), 0))
            if not answer.is_willing:
                await send_whole(send, answer.status, [*answer.headers, ("Connection", "close")], answer.content)
                return
            limit = BodyLimit(limit.most)
        body: IO[bytes] = io.BytesIO()
        if announced != 0:
            body = await self.bodies.read(receive, limit.bytes, self.address(environ))
        length = body.seek(0, io.SEEK_END)
        body.seek(0)
        await self._reply(self.pages, self.api.behind, with_body(environ, body, length), receive, send)

    async def _reply(
        self, threads: PageThreads, application: Application, environ: Environ, receive: Receive, send: Send
    ) -> None:
        """Raises BodyRefused, ClientGone, and ReplyAborted where a part was sent and the rest cannot be."""
        reply = PageReply(asyncio.get_running_loop())
        close: Callable[[], None] = environ["wsgi.input"].close
        working = asyncio.ensure_future(threads.run(reply.run, application, environ, finally_=close))
        sending, leaving = asyncio.ensure_future(reply.send(send)), asyncio.ensure_future(until_gone(receive))
        try:
            waiting: set[asyncio.Future[None]] = {working, sending, leaving}
            while not sending.done():
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if working in waiting and working.done():
                    waiting.discard(working)
                    working.result()
                if leaving.done() and not sending.done():
                    raise ClientGone
            sending.result()
        except (BodyRefused, ClientGone):
            raise
        except Exception as error:
            log.exception("%s %s failed.", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            if reply.is_begun:
                raise ReplyAborted from error
            raise BodyRefused(HTTPStatus.INTERNAL_SERVER_ERROR, "The log of the server says more.") from error
        finally:
            leaving.cancel()
            sending.cancel()
            if not working.done():
                reply.abandon()
                working.cancel()
