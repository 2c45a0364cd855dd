"""Start and stop the embedded Valkey. Every method that changes something is called under the start lock.

Valkey does not lock its directory: two servers on one directory would both run.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time

from nof0site.embedded.binaries import reachable, valkey_program
from nof0site.embedded.errors import EmbeddedServerError
from nof0site.embedded.paths import DataPaths
from nof0site.embedded.privileges import make_private, server_user

PATIENCE_SECONDS = 20


class Valkey:
    def __init__(self, paths: DataPaths) -> None:
        self._paths = paths

    def start(self) -> None:
        """Return when it answers. Raises EmbeddedServerError with the end of its log when it does not."""
        if self._answer() is None:
            self._launch()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self._answer() or "").startswith("+PONG"):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"The embedded Valkey in {self._paths.valkey} did not start.{self._log_end()}"
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop after its data is on disk. Does nothing if no server runs."""
        try:
            with self._connect() as link:
                link.sendall(b"SHUTDOWN\r\n")
                link.recv(64)
        except OSError:
            return
        # The connection closes before the process is gone; its pid file goes last.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (self._paths.valkey / "valkey.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _answer(self) -> str | None:
        """The reply to a PING: `+PONG`, `-LOADING ...`; None if no server listens."""
        try:
            with self._connect() as link:
                link.sendall(b"PING\r\n")
                return link.recv(64).decode("ascii", "replace")
        except OSError:
            return None

    def _connect(self) -> socket.socket:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(PATIENCE_SECONDS)
        try:
            link.connect(str(self._paths.valkey_socket))
        except OSError:
            link.close()
            raise
        return link

    def _launch(self) -> None:
        user = server_user(self._paths.valkey)
        self._paths.root.chmod(0o700 if user.is_us else 0o755)
        make_private(self._paths.sockets, user)
        make_private(self._paths.valkey, user)
        program = reachable(valkey_program(), user, self._paths.root)
        done = subprocess.run(
            [program, *self._options()],
            cwd=self._paths.valkey,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            **user.process_options,
        )
        if done.returncode != 0:
            raise EmbeddedServerError(f"The embedded Valkey did not start: {done.stdout}{done.stderr}{self._log_end()}")

    def _options(self) -> list[str]:
        """Relative names are below its working directory, so no path of ours needs quoting."""
        options = {
            "port": "0",
            "unixsocket": os.fspath(self._paths.valkey_socket),
            "unixsocketperm": "700",
            "daemonize": "yes",
            "logfile": "server.log",
            "pidfile": "valkey.pid",
            "appendonly": "yes",
            # A kill loses nothing, because the kernel has the written bytes; a power cut loses at most a second.
            "appendfsync": "everysec",
        }
        return [part for key, value in options.items() for part in (f"--{key}", value)]

    def _log_end(self) -> str:
        try:
            text = (self._paths.valkey / "server.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return f" The end of its log:\n{text[-1000:].strip()}"
