"""A PgBouncer that pools by transaction, before the tests' embedded PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from nof0site.embedded.paths import DataPaths
from nof0site.embedded.privileges import server_user
from tests.platform.processes import free_port, wait_for

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
# With one server connection the next client would meet whatever a client leaves behind in its session.
CONFIGURATION = """
[databases]
* = host={sockets} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 1000
"""


@contextmanager
def pgbouncer(data_dir: Path | None = None, size: int = 1) -> Iterator[int]:
    """The port it listens at. Before the tests' embedded server, or that of another data directory."""
    assert PROGRAM is not None
    paths, port = DataPaths(data_dir or settings.DATA_DIR), free_port()
    with tempfile.TemporaryDirectory(prefix="nof0-bouncer-") as directory:
        Path(directory).chmod(0o755)
        file = Path(directory) / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(sockets=paths.sockets, port=port, size=size), encoding="utf-8")
        log = Path(directory) / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [PROGRAM, file], stdout=output, stderr=output, **server_user(paths.cluster).process_options
            )
        try:
            wait_for(lambda: "process up" in log.read_text(encoding="utf-8") or process.poll() is not None)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield port
        finally:
            process.terminate()
            process.wait()
