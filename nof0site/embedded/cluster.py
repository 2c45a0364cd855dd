"""The data directory of the embedded PostgreSQL: made in one step; one of another major version is refused."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil

from nof0site.embedded.errors import EmbeddedServerError
from nof0site.embedded.privileges import ServerUser, make_private

# The built-in provider sorts by code point on every platform and needs no locale of the system.
INITDB_OPTIONS = (
    *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
# No TCP port: the private directory of the socket is what admits a client, hence `trust` above. Compression: after each
# checkpoint the log has a page whole when it first changes.
CONFIGURATION = """
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 100
wal_compression = on
log_timezone = 'UTC'
timezone = 'UTC'
"""


def create(cluster: Path, initdb: Path, user: ServerUser, environment: dict[str, str]) -> None:
    """Make the cluster in a temporary directory and rename it, so that a killed initdb leaves nothing behind."""
    unfinished = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    make_private(unfinished, user)
    command: list[Any] = [initdb, *INITDB_OPTIONS, f"--pgdata={unfinished}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, **user.process_options)
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb could not make a database in {unfinished}:\n{done.stderr.strip()}")
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(CONFIGURATION)
    unfinished.rename(cluster)


def refuse_other_major(cluster: Path, postgres: Path) -> None:
    """PostgreSQL's data format changes with each major version; it opens no other than its own."""
    made_by = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    ours = _major(postgres)
    if made_by == ours:
        return
    raise EmbeddedServerError(
        f"The data in {cluster} was made by PostgreSQL {made_by}; this installation has PostgreSQL {ours}, which "
        "cannot open it. Nothing was changed. To move the data:\n"
        f"  1. With the release of this project that made it: python manage.py pg_tool pg_dump -Fc -f nof0.dump\n"
        f"  2. mv '{cluster}' '{cluster}-{made_by}'\n"
        f"  3. With this release: python manage.py pg_tool pg_restore --no-owner -d nof0 nof0.dump\n"
        "Then run again. docs/operations.md says more. Or set DATABASE_URL to a server of your own."
    )


def remove_foreign_pid_file(cluster: Path, pid_file: Path) -> None:
    """Remove a pid file whose process is a zombie or not a PostgreSQL of this cluster.

    PostgreSQL takes any living process of that number for its predecessor and refuses to start, for instance after a
    reboot. It handles the number of a process that has ended itself.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text(encoding="utf-8", errors="replace").split()[0])
        if psutil.pid_exists(pid) and not _is_server_of(cluster, pid):
            pid_file.unlink()


def _is_server_of(cluster: Path, pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return False
        return Path(process.cwd()).resolve() == cluster.resolve()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _major(postgres: Path) -> str:
    """ "postgres (PostgreSQL) 18.6" -> "18"."""
    shown = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    return shown.split()[-1].partition(".")[0]
