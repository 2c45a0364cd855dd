"""Announcements of changes: heard on a connection of one's own, never through a PgBouncer that pools by transaction."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from nof0site.databases import external_database
from nof0site.postgresql.direct import direct_parameters
from nof0site.serving.changes.listener import listen
from tests.factories import make_trader, sync_traders
from tests.platform.bouncer import PROGRAM, pgbouncer
from tests.platform.waiting import in_thread

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="asks the embedded server"),
]


@pytest.fixture
def _pooled() -> Iterator[None]:
    """As with PGBOUNCER=1."""
    connection.settings_dict["POOLED_BY_TRANSACTION"] = True
    yield
    del connection.settings_dict["POOLED_BY_TRANSACTION"]


@pytest.mark.usefixtures("_pooled")
@pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")
@pytest.mark.slow
def test_behind_a_pooler_announcements_are_heard_at_the_direct_address(settings: Any) -> None:
    assert direct_parameters() is None, "a pooler delivers none: changes are looked for each second"
    before = dict(connection.settings_dict)
    with pgbouncer() as port:
        settings.DATABASE_DIRECT = {name: before[name] for name in ("HOST", "PORT", "USER", "PASSWORD")}
        connection.settings_dict.update({"HOST": "127.0.0.1", "PORT": str(port)})
        try:
            parameters = direct_parameters()
        finally:
            connection.settings_dict.update({name: before[name] for name in ("HOST", "PORT")})
    assert parameters is not None
    assert parameters["host"] == before["HOST"]
    # In a thread of its own: the browser tests of the same process leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(_hears(parameters), 30)).result()


async def _hears(parameters: dict[str, Any]) -> None:
    heard: asyncio.Queue[None] = asyncio.Queue()
    listening = asyncio.ensure_future(listen(parameters, lambda: heard.put_nowait(None)))
    await heard.get()  # once connected
    await in_thread(sync_traders, make_trader())
    await heard.get()
    listening.cancel()


def test_an_address_that_is_no_database_is_refused_by_the_name_of_its_variable() -> None:
    others: dict[str, Any] = {"through_pgbouncer": False, "keep_seconds": 0, "connect_seconds": 5}
    with pytest.raises(ImproperlyConfigured, match="DATABASE_DIRECT_URL must name a PostgreSQL database"):
        external_database("mysql://host/db", variable="DATABASE_DIRECT_URL", **others)
