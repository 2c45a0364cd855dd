"""A Valkey of a test's own, to be killed, stopped, filled and cut off; and the site's connection led to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from django.test import override_settings

from nof0site.embedded.binaries import valkey_program
from nof0site.rediscache import external_redis
from tests.platform.processes import PATIENCE_SECONDS
from trading.live.redis.mode import follower
from trading.live.redis.outage import outage


class OwnServer:
    """Keeps nothing on disk: a restart is an empty server."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "valkey.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self, *options: str) -> None:
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no", *options]
        self.process = subprocess.Popen(
            [valkey_program(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(redis.ConnectionError):
                self.client.ping()
                return
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def own_server(*options: str) -> Iterator[OwnServer]:
    """A running server, and the site on it."""
    with tempfile.TemporaryDirectory(prefix="nof0-live-") as directory:
        server = OwnServer(Path(directory))
        server.start(*options)
        try:
            with override_settings(CACHES={"default": external_redis(server.url)}):
                follower.forget()
                outage.forget()
                yield server
        finally:
            server.kill()
            outage.forget()
