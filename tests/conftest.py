"""Servers for the whole run, and a Redis that is empty for each test."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from django.test import SimpleTestCase
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

from tests.citus import is_citus, record_spread
from tests.platform.soak.options import add_options
from tests.servers import redis_of_this_process, refuse_redis_in_use, remove_servers
from tests.shared_handler import share_middleware

# The tests try the same few examples in each run, so that a red run means a changed program. `make soak` tries many new
# ones. Slow is no fault: the machine may be busy.
_RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.register_profile("ci", _RELAXED, max_examples=15, derandomize=True)
settings.register_profile("soak", _RELAXED, max_examples=1_000)
settings.load_profile("ci")

DATABASE_FIXTURES = frozenset({"db", "transactional_db"})
# A test that uses one of these starts servers, processes or a browser of its own.
SLOW_FIXTURES = frozenset(
    {"another_machine", "browser", "live_server", "machine", "migrated_machine", "new_machine", "used_data_dir"}
)
# Here threads, processes or a browser race with the test. A busy machine may fail one of thousands once, so each gets a
# second try. The run names those that needed it ("RERUN"): they are to be mended, not to be lived with.
RACING = ("slow", "faults", "pages")
LONGEST_SOAK_SECONDS = 4 * 3600


share_middleware()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-servers", action="store_true", help="only the tests that use PostgreSQL or Redis")
    add_options(parser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # One that runs for hours belongs to no other run.
        is_long = item.get_closest_marker("soak") is not None
        if is_long:
            item.add_marker(pytest.mark.timeout(LONGEST_SOAK_SECONDS))
        elif not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if is_citus() and item.get_closest_marker("plain"):
            item.add_marker(pytest.mark.skip(reason="the record of this database is spread"))
        if _races(item):
            item.add_marker(pytest.mark.flaky(reruns=1))
    if config.getoption("--only-servers"):
        others = [item for item in items if not _uses_servers(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _uses_servers(item)]


def _races(item: pytest.Item) -> bool:
    database = item.get_closest_marker("django_db")
    return any(item.get_closest_marker(name) for name in RACING) or (
        database is not None and bool(database.kwargs.get("transaction"))
    )


def _uses_servers(item: pytest.Item) -> bool:
    """Redis is reached without a fixture: all tests of a module that may do so count."""
    module: ModuleType = item.getparent(pytest.Module).obj  # type: ignore[union-attr]
    return (
        item.get_closest_marker("django_db") is not None
        or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
        or "redis" in inspect.getsource(module).lower()
        or "live" in module.__name__.split(".")
    )


def pytest_configure(config: pytest.Config) -> None:
    # Told to stop, the run ends as after Ctrl-C: in order, with its servers stopped. pytest.exit would raise an
    # Exception, which Django answers with 500 inside a request.
    signal.signal(signal.SIGTERM, _end)
    if url := redis_of_this_process():
        refuse_redis_in_use(url)


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt("Told to stop.")


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
    from django.db import connection

    from tests.flushing import keep_what_migrations_made
    from tests.slow_pages import let_pages_take_their_time
    from trading.record.stored.spread.form import was_spread

    spread = ExitStack()
    with django_db_blocker.unblock():
        if is_citus():
            spread.enter_context(record_spread())
        keep_what_migrations_made()
        let_pages_take_their_time()
        # Asked for once a process: it is none of the statements that tests count.
        was_spread()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    spread.close()


@pytest.fixture(autouse=True)
def _rules_restored(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
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
    # A test that recorded something may have set one off.
    for thread in threading.enumerate():
        if thread.name == "live-store-healing":
            thread.join(30)
    follower.forget()
    outage.forget()
    cache.close()
    if settings.CACHES["default"]["LOCATION"] in pool.ConnectionFactory._pools:  # type: ignore[misc]
        get_redis_connection("default").flushdb()
