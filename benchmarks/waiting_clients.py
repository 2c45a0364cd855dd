"""`python -m benchmarks.waiting_clients`: a thousand clients of `/api/v1/changes` in a process of their own.

Reads one JSON line {port, kind, count, tokens, cursor}, prints "ready" when all wait, and for each further line one of
what has come since: {cursor: moments}, in seconds since 1970.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import defaultdict
from typing import Any

import uvloop

CONNECTING_AT_ONCE = 20
EVENT = re.compile(rb"id: ([^\n]+)\ndata: [^\n]*\n\n")
LENGTH, CURSOR = re.compile(rb"content-length: (\d+)", re.IGNORECASE), re.compile(rb'"cursor":"([^"]+)"')
arrivals: dict[str, list[float]] = defaultdict(list)


class EngineProtocol(asyncio.Protocol):
    """`is_ready` is set by the first event of a stream, and by the connection of one that polls."""

    def __init__(self, asked: dict[str, Any], token: str) -> None:
        self.asked, self.token, self.cursor = asked, token, asked["cursor"]
        self.is_ready = asyncio.Event()
        self.unread = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        is_stream = self.asked["kind"] == "stream"
        query = f"after={self.cursor}" + ("" if is_stream else "&wait=50")
        accept = "text/event-stream" if is_stream else "application/json"
        lines = [f"GET /api/v1/changes?{query} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {self.token}"]
        self.transport.write("\r\n".join([*lines, f"Accept: {accept}", "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if self.asked["kind"] == "stream":
            self.take_events()
        else:
            self.take_answer()

    def take_events(self) -> None:
        while found := EVENT.search(self.unread):
            self.unread = self.unread[found.end() :]
            if self.is_ready.is_set():
                arrivals[found[1].decode()].append(time.time())
            self.is_ready.set()

    def take_answer(self) -> None:
        head, end, body = self.unread.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self.unread = b""
        cursor = CURSOR.search(body)
        if cursor is None:
            raise SystemExit(f"refused: {head.decode()} {body.decode()}")
        if b'"changes":[]' not in body:
            arrivals[cursor[1].decode()].append(time.time())
        self.cursor = cursor[1].decode()
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        raise SystemExit(f"a connection was lost: {error}")


async def main() -> None:
    loop = asyncio.get_running_loop()
    asked = json.loads(sys.stdin.readline())
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(number: int) -> None:
        async with gate:
            token = asked["tokens"][number % len(asked["tokens"])]
            _, client = await loop.create_connection(lambda: EngineProtocol(asked, token), "127.0.0.1", asked["port"])
            if asked["kind"] == "stream":
                await client.is_ready.wait()

    await asyncio.gather(*(connect(number) for number in range(asked["count"])))
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(arrivals), flush=True)
        arrivals.clear()


if __name__ == "__main__":
    uvloop.run(main())
