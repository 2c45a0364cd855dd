"""Both servers of one data directory, and this process's share in them."""

from __future__ import annotations

import atexit
import contextlib
import signal
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nof0site.embedded.errors import EmbeddedServerError
from nof0site.embedded.locks import UsersLock, exclusive
from nof0site.embedded.paths import DataPaths
from nof0site.embedded.postgres import Postgres
from nof0site.embedded.valkey import Valkey

COOL_OFF_SECONDS = 5


class EmbeddedServers:
    def __init__(self, data_dir: Path, postgres_settings: Mapping[str, str]) -> None:
        self.paths = DataPaths(data_dir)
        self._users = UsersLock(self.paths.users_lock)
        self._postgres = Postgres(self.paths, postgres_settings)
        self._valkey = Valkey(self.paths)
        # (until when the failure counts, why the last start failed)
        self._failure: tuple[float, EmbeddedServerError] | None = None

    def join(self) -> None:
        """Become a user of the servers, before connecting: from now on no other process stops them."""
        if not self._users.is_held:
            with exclusive(self.paths.start_lock):
                self._users.join()

    def start_postgres(self) -> None:
        """Raises EmbeddedServerError; for a while after a failure at once, so that pages do not wait."""
        with exclusive(self.paths.start_lock):
            self._users.join()
            if self._failure and time.monotonic() < self._failure[0]:
                raise self._failure[1]
            try:
                self._postgres.start()
            except EmbeddedServerError as error:
                self._failure = time.monotonic() + COOL_OFF_SECONDS, error
                raise
            self._failure = None

    def start_valkey(self) -> None:
        with exclusive(self.paths.start_lock):
            self._users.join()
            self._valkey.start()

    def leave(self) -> bool:
        """Stop using the servers; the last user stops them. True if they were stopped, or were not running."""
        if not self.paths.root.is_dir():
            return True
        with exclusive(self.paths.start_lock):
            if not self._users.leave():
                return False
            self._valkey.stop()
            self._postgres.stop()
            self._remove_sockets_elsewhere()
            return True

    def _remove_sockets_elsewhere(self) -> None:
        """Remove the directories below /tmp that are empty; one with content is still in use."""
        if not self.paths.sockets.is_relative_to(self.paths.root):
            with contextlib.suppress(OSError):
                self.paths.sockets.rmdir()


@cache
def embedded_servers(data_dir: Path, postgres_settings: tuple[tuple[str, str], ...] = ()) -> EmbeddedServers:
    """The one object per data directory in this process; leaves when the process exits."""
    servers = EmbeddedServers(data_dir, dict(postgres_settings))
    atexit.register(_leave_at_exit, servers)
    return servers


def _leave_at_exit(servers: EmbeddedServers) -> None:
    """Ignores a second Ctrl-C: it would interrupt the stop and leave the servers running."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    servers.leave()
