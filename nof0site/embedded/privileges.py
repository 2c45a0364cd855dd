"""Which user the servers run as. PostgreSQL refuses to run as root, so root starts them as a user without rights."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nof0site.embedded.errors import EmbeddedServerError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class ServerUser:
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def process_options(self) -> dict[str, Any]:
        """Arguments for subprocess that make the child this user."""
        return {} if self.is_us else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        command = ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)]
        return subprocess.run(command, capture_output=True, cwd="/", **self.process_options).returncode == 0


def server_user(existing: Path) -> ServerUser:
    """This process's user; for root the owner of existing data, else the first existing candidate."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    if existing.exists() and (owner := existing.stat().st_uid) != 0:
        return ServerUser(owner, existing.stat().st_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and this system has neither a user 'postgres' nor 'nobody'. Run as an "
        "ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def make_private(directory: Path, owner: ServerUser) -> None:
    """Make the directory, or take an existing one only if we own it: below /tmp another user may have made it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.uid):
        raise EmbeddedServerError(f"{directory} is not a directory of ours. Remove it, or set NOF0_DATA_DIR.")
    if found.st_uid != owner.uid:
        os.chown(directory, owner.uid, owner.gid)
    directory.chmod(0o700)
