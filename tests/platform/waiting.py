"""Clients that wait for changes, before the site's own Django on the tests' database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from nof0site.postgresql.direct import direct_parameters
from nof0site.serving.changes.listener import listen
from nof0site.serving.changes.room import WaitingRoom
from nof0site.serving.changes.server import ChangesServer
from nof0site.serving.front import FrontServer
from nof0site.serving.threads import PageThreads
from tests.engine_client import Engine
from tests.platform.asgi_client import Client, fronted, scope

PATIENCE_SECONDS = 60
Test = Callable[[FrontServer], Coroutine[Any, Any, None]]


def run_waiting(root: Path, test: Test, *, hears: bool = True) -> None:
    """`hears` False: no announcement comes through."""
    with _front(root, hears) as front:
        asyncio.run(asyncio.wait_for(test(front), 2 * PATIENCE_SECONDS))


@contextmanager
def _front(root: Path, hears: bool) -> Iterator[FrontServer]:
    django, parameters = WSGIHandler(), direct_parameters()
    assert parameters is not None
    threads, room = PageThreads("changes", 2, 100), WaitingRoom(partial(listen, parameters) if hears else None)
    with fronted(django, root) as front:
        front.changes = ChangesServer(django, threads, room)
        yield front
        threads.close()
        room.close()


class WaitingRequest:
    """A request for changes that goes on until it is answered whole, or the client leaves."""

    def __init__(self, front: FrontServer, engine: Engine, query: str = "", **headers: str) -> None:
        self.client = Client()
        asked = scope(path="/api/v1/changes", query=query, authorization=f"Bearer {engine.token}", **headers)
        self.task = asyncio.ensure_future(front(asked, self.client.receive, self.client.send))

    @property
    def body(self) -> Any:
        """Of an answer that is whole, without the server's time."""
        body = json.loads(self.client.content)
        body.pop("server_time_ms", None)
        return body

    @property
    def events(self) -> list[tuple[str, Any]]:
        """(id, data) of the events that have come."""
        found = []
        for event in self.client.content.decode().split("\n\n")[:-1]:
            if not event.startswith(":"):
                lines = dict(line.split(": ", 1) for line in event.split("\n"))
                found.append((lines["id"], json.loads(lines["data"])))
        return found

    @property
    def seen(self) -> list[tuple[str, int]]:
        """(configuration, version) of all events."""
        return [(change["config_id"], change["version"]) for _, data in self.events for change in data["changes"]]

    async def whole(self) -> WaitingRequest:
        await asyncio.wait_for(self.task, PATIENCE_SECONDS)
        return self

    async def until(self, condition: Callable[[WaitingRequest], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition(self):
                await asyncio.sleep(0.01)

    async def has_seen(self, expected: list[tuple[str, int]]) -> None:
        await self.until(lambda one: len(one.seen) >= len(expected))
        assert self.seen == expected

    async def leave(self) -> None:
        self.client.gone.set()
        await self.whole()


def stream(front: FrontServer, engine: Engine, query: str = "", **headers: str) -> WaitingRequest:
    return WaitingRequest(front, engine, query, accept="text/event-stream", **headers)


def room_of(front: FrontServer) -> WaitingRoom:
    assert front.changes is not None
    return front.changes._room


def waiting_in(front: FrontServer) -> int:
    return len(room_of(front)._waiting)


async def all_wait(front: FrontServer, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while waiting_in(front) < count:
            await asyncio.sleep(0.01)


async def in_thread(work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What uses the database, on a connection that is closed afterwards."""

    def run() -> Any:
        try:
            return work(*given, **named)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)
