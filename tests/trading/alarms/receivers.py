"""A real HTTP server that receives alarms, and behaves as receivers do at their worst."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """`requests` are (path, headers, body) as they came. `manner`: ok, error, redirect, close, silent or trickle."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.manner = "ok"
        self.answer = b"ok"
        # Set: a silent one hangs up.
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _path, headers, _body in self.requests]

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _path, _headers, body in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self._take()

    def do_GET(self) -> None:
        self._take()

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, body))
        match self.server.manner:
            case "close":
                self.close_connection = True
                self.connection.close()
            case "silent":
                self.server.released.wait(30)
            case "trickle":
                for _turn in range(120):
                    self.wfile.write(b"HTTP/1.1 200 OK"[:1])
                    self.wfile.flush()
                    time.sleep(0.25)
            case "redirect":
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
            case "error":
                self.send_error(500)
            case _:
                self.send_response(200)
                self.send_header("Content-Length", str(len(self.server.answer)))
                self.end_headers()
                self.wfile.write(self.server.answer)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: pytest shows what fails."""

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            return


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
