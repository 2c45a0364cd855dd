"""Servers for the whole run, and a Redis that is empty for each test."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

from tests.servers import refuse_redis_in_use, remove_servers
from tests.shared_handler import share_middleware

# The tests try the same few examples in each run, so that a red run means a changed program. `make soak` tries many new
# ones. Slow is no fault: the machine may be busy.
_RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.register_profile("ci", _RELAXED, max_examples=15, derandomize=True)
settings.register_profile("soak", _RELAXED, max_examples=1_000)
settings.load_profile("ci")

# A test that uses one of these starts servers, processes or a browser of its own.
SLOW_FIXTURES = frozenset({"browser", "live_server", "machine", "new_machine", "used_data_dir"})


share_middleware()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_configure(config: pytest.Config) -> None:
    # Told to stop, the run ends as after Ctrl-C: in order, with its servers stopped.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("Told to stop.", returncode=143))
    if url := os.environ.get("TEST_REDIS_URL"):
        refuse_redis_in_use(url)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Runs after a failure and after Ctrl-C too."""
    from django.conf import settings
    from django.db import connections

    from nof0site.embedded.configured import configured_servers

    connections.close_all()
    configured_servers().leave()
    remove_servers(Path(settings.DATA_DIR))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test database be dropped although a page that a closed browser asked for is still being made."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _rules_put_back(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test that took rules of the database away and committed."""
    yield
    from tests.rows_from_before import put_rules_back

    with django_db_blocker.unblock():
        put_rules_back()


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    """Leave nothing in Redis for the next test, nor for the owner of an external one."""
    from django.conf import settings
    from django.core.cache import cache
    from django_redis import get_redis_connection, pool

    from trading.live.redis.mode import follower
    from trading.live.redis.outage import outage

    yield
    # A test that recorded something, or waited for a change, may have set one off.
    for thread in threading.enumerate():
        if thread.name in ("live-store-healing", "config-changes"):
            thread.join(30)
    follower.forget()
    outage.forget()
    cache.close()
    if settings.CACHES["default"]["LOCATION"] in pool.ConnectionFactory._pools:  # type: ignore[misc]
        get_redis_connection("default").flushdb()
