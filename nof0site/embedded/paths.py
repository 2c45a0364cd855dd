"""Where the embedded servers keep their files."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

# The kernel's limit for a socket's path is 104 bytes on macOS and 108 on Linux.
LONGEST_SOCKET_PATH_BYTES = 100
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
# libpq reads a comma as the start of another host, PostgreSQL's setting reads quotes.
ODD_CHARACTERS = re.compile(r"""[,"'\\@]""")


def default_data_dir(checkout: Path) -> Path:
    """`.nof0` in the checkout; for root outside of it, since PostgreSQL must then run as a user without a home."""
    if os.geteuid() != 0:
        return checkout / ".nof0"
    parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path("/var/tmp")
    return parent / f"nof0-{_digest(checkout)}"


@dataclass(frozen=True)
class DataPaths:
    """The files below one data directory."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "postgresql"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def start_lock(self) -> Path:
        """Held while a process starts or stops a server, joins its users or leaves them."""
        return self.root / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the servers."""
        return self.root / "users.lock"

    @property
    def sockets(self) -> Path:
        """A private directory with a path that every program can use: below /tmp when our own is long or odd."""
        own = self.root / "run"
        length = len(os.fsencode(own / LONGEST_SOCKET_NAME))
        if length < LONGEST_SOCKET_PATH_BYTES and not ODD_CHARACTERS.search(str(own)):
            return own
        return Path("/tmp") / f"nof0-{os.geteuid()}-{_digest(self.root)}"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
