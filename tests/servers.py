"""The PostgreSQL and the Redis that the tests run on: embedded ones in a temporary directory, or external ones."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import redis

from nof0site.embedded.servers import EmbeddedServers

PREFIX = "nof0-test-"
# A power cut may eat these databases, so nothing waits for the disk.
FAST_POSTGRES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    "autovacuum": "off",
}


def new_data_dir() -> Path:
    """A directory for this run's servers, private to it; what killed runs left behind is cleared first."""
    for leftover in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            _clear_leftover(leftover)
    data_dir = Path(tempfile.mkdtemp(prefix=PREFIX))
    # For a run that ends before its first test; removing twice does no harm.
    atexit.register(remove_servers, data_dir)
    return data_dir


def _clear_leftover(data_dir: Path) -> None:
    """Stop and remove a killed run's servers: nobody holds their users' lock any more."""
    if data_dir.stat().st_uid != os.geteuid() or not (data_dir / "users.lock").exists():
        return
    with (data_dir / "users.lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    remove_servers(data_dir)


def remove_servers(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, {})
    if data_dir.exists() and servers.leave():
        shutil.rmtree(servers.paths.sockets, ignore_errors=True)
        shutil.rmtree(data_dir, ignore_errors=True)


def redis_of_this_process() -> str:
    """TEST_REDIS_URL; of several processes that test side by side, the second has the next database, and so on."""
    url = os.environ.get("TEST_REDIS_URL", "")
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if not url or not number:
        return url
    server, first = url.rsplit("/", 1)
    return f"{server}/{int(first) + number}"


def refuse_redis_in_use(url: str) -> None:
    """The tests empty their Redis database after each test, so it must be nobody's."""
    with redis.Redis.from_url(url) as client:
        try:
            keys = client.dbsize()
        except redis.RedisError as error:
            raise pytest.UsageError(f"TEST_REDIS_URL={url} cannot be used: {error}") from error
    if keys:
        raise pytest.UsageError(
            f"TEST_REDIS_URL={url} holds {keys} keys, and the tests would delete them. Name an empty database, such "
            "as redis://127.0.0.1:6379/9."
        )
