"""The live store follows the manager through outages of PostgreSQL and Redis, and past what cannot be projected."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import suppress

import pytest
from django.db import Error, connection

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork
from tests.platform.processes import PATIENCE_SECONDS
from tests.trading.live.servers import own_server
from tests.trading_factories import OPENED_MS
from trading.live import healing, keys
from trading.live import services as live
from trading.live.redis import store
from trading.live.redis.outage import COOL_OFF_SECONDS, outage
from trading.manager.projecting import Projector
from trading.models import EquitySnapshot
from trading.schema.live_store.answers import FreshValue

ANN, BOB = "steady_long", "bob"


@pytest.fixture(autouse=True)
def _traders(transactional_db: None) -> Iterator[None]:
    sync_traders(make_trader(), make_trader(BOB))
    for trader_id in (ANN, BOB):
        # As rows that another process wrote: the store is not told of them here.
        EquitySnapshot.objects.create(trader_id=trader_id, ts_ms=OPENED_MS, equity_usd=1000)
    yield
    # A thread fills the store again.
    assert healing._aside.acquire(timeout=PATIENCE_SECONDS)
    healing._aside.release()
    outage.forget()


@pytest.fixture
def projector() -> Projector:
    made = Projector()
    made.add(ANN)
    return made


def is_followed(trader_id: str = ANN) -> bool:
    return isinstance(store.read_one(keys.SINCE_INCEPTION, trader_id), FreshValue)


def lose_the_connection() -> None:
    with suppress(Error), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_what_postgresql_did_not_tell_is_projected_once_it_answers(
    projector: Projector, caplog: pytest.LogCaptureFixture
) -> None:
    lose_the_connection()
    projector.project()
    assert not is_followed()
    projector.project()
    assert is_followed()
    said = [record for record in caplog.records if record.name == "trading.manager.projecting"]
    assert len(said) == 1


def test_what_redis_missed_is_projected_once_it_answers(projector: Projector) -> None:
    with own_server() as server:
        server.kill()
        projector.project()
        server.start()
        time.sleep(COOL_OFF_SECONDS + 0.05)
        projector.project()
        assert is_followed()


def test_a_trader_that_cannot_be_projected_costs_no_other_one_its_values(
    projector: Projector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    follow = live.follow

    def refuse_bob(names: Collection[str]) -> bool:
        if BOB in names:
            raise ValueError("a number that is none")
        return follow(names)

    monkeypatch.setattr(live, "follow", refuse_bob)
    caplog.set_level(logging.ERROR)
    projector.add(BOB)
    projector.project()
    projector.project()
    assert (is_followed(), is_followed(BOB)) == (True, False)
    assert [record.getMessage() for record in caplog.records] == [
        "The live store does not follow bob: a number that is none"
    ]


def test_a_manager_that_starts_shows_what_the_one_before_it_could_not() -> None:
    ManagerAtWork().turns().begin([ANN])
    assert (is_followed(), is_followed(BOB)) == (True, False)


def test_a_writer_that_lost_postgresql_has_the_store_filled_again() -> None:
    lose_the_connection()
    with pytest.raises(Error):
        live.follow([ANN])
    connection.close()
    assert live.heal()
    assert is_followed()
    assert is_followed(BOB)
