"""Asks an ASGI application as a server would, with a client that sends and reads as slowly as a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nof0site.serving.bodies import BodyReader
from nof0site.serving.body_limits import Policy
from nof0site.serving.front import FrontServer
from nof0site.serving.replies import Application
from nof0site.serving.threads import PageThreads
from tests.trading.export.public_api.client import make_api

LOGIN, UPLOAD = "/admin/login/", "/admin/upload/"
POLICY = Policy(login=LOGIN, uploads=frozenset({UPLOAD}), session_cookie="sessionid")
SESSION = {"cookie": "csrftoken=x; sessionid=abc"}


@dataclass
class Client:
    """One request. `body` are the pieces that it sends; then it is silent, or leaves if `leaves` is set."""

    body: Iterable[bytes] = ()
    is_whole: bool = True
    leaves: bool = False
    # Set: the client reads nothing until then.
    reads: asyncio.Event | None = None
    asked_for_body: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    is_complete: bool = False

    def __post_init__(self) -> None:
        self._pieces = list(self.body)
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.asked_for_body += 1
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self.is_whole}
        if not self.leaves:
            await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if self.reads is not None:
            await self.reads.wait()
        self.content += message["body"]
        self.is_complete = not message.get("more_body", False)


def scope(method: str = "GET", path: str = "/", query: str = "", **headers: str) -> dict[str, Any]:
    lines = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "http_version": "1.1",
        "client": ("192.0.2.7", 1234),
        "server": ("127.0.0.1", 8000),
        "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
    }


@contextmanager
def fronted(
    behind: Application, root: Any, *, seconds: float = 5.0, threads: int = 2, queue: int = 4
) -> Iterator[FrontServer]:
    front = FrontServer(
        api=make_api(root, behind=behind),
        policy=POLICY,
        bodies=BodyReader(seconds, 1_000_000),
        pages=PageThreads("pages", threads, queue),
        address=lambda environ: str(environ["REMOTE_ADDR"]),
    )
    yield front
    front.pages.close()
    front.others.close()
