"""A real HTTP server that plays an endpoint of language models, and behaves as they do at their worst."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = '{"signal": "hold"}'


def completion(text: str | None = ANSWER, **changed: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "test/model-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    } | changed


class LlmEndpoint(ThreadingHTTPServer):
    """`manners` are used up one a request, the last one stays: a status with a body, or one of ok, plain, silent, cut,
    trickle, huge, packed, and (a status, huge, trickle or packed)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manners: list[Any] = ["ok"]
        self.answer: Any = completion()
        self.headers: dict[str, str] = {}
        self.sent = 0
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: LlmEndpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, json.loads(body)))
        manners = self.server.manners
        manner = manners.pop(0) if len(manners) > 1 else manners[0]
        if isinstance(manner, tuple) and isinstance(manner[1], str):
            self._fail(*manner)
            return
        if isinstance(manner, tuple):
            self._send(manner[0], json.dumps(manner[1]).encode())
            return
        whole = json.dumps(self.server.answer).encode()
        match manner:
            case "ok":
                self._send(200, whole)
            case "plain":
                self._send(200, b"<html>Bad gateway</html>")
            case "silent":
                time.sleep(30)
            case "cut":
                self._send(200, whole[: len(whole) // 2], length=len(whole))
                self.close_connection = True
            case "trickle":
                self._head(200, len(whole))
                for place in range(len(whole)):
                    self.wfile.write(whole[place : place + 1])
                    self.wfile.flush()
                    time.sleep(0.05)
            case "huge":
                self._head(200, 10**9)
                while True:
                    self.wfile.write(b" " * 65_536)

    def _fail(self, status: int, manner: str) -> None:
        if manner == "packed":
            self.server.headers["Content-Encoding"] = "gzip"
            self._send(status, gzip.compress(b" " * 50_000_000))
            return
        self._head(status, 10**9)
        while True:
            chunk = b" " * (1 if manner == "trickle" else 65_536)
            self.wfile.write(chunk)
            self.wfile.flush()
            self.server.sent += len(chunk)
            time.sleep(0.05 if manner == "trickle" else 0)

    def _send(self, status: int, body: bytes, *, length: int | None = None) -> None:
        self._head(status, len(body) if length is None else length)
        self.wfile.write(body)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # The caller has gone, as it should.
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def llm_endpoint() -> Iterator[LlmEndpoint]:
    server = LlmEndpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
