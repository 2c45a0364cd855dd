"""Redis gone, emptied, full, read-only, slow: nothing waits, nothing raises, and the store heals itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from nof0site.rediscache import ANSWER_SECONDS
from tests.live_factories import make_positions, make_price
from tests.platform.processes import PATIENCE_SECONDS
from tests.trading.live import big_fleet
from tests.trading.live.servers import OwnServer, own_server
from trading.live import keys
from trading.live import services as live
from trading.live.redis import outage as outages
from trading.live.redis import store
from trading.live.redis.mode import follower
from trading.live.redis.outage import COOL_OFF_SECONDS, outage
from trading.live.redis.reads import counts
from trading.live.upkeep import verify as live_verify
from trading.schema.live_store.answers import FreshValue, MissingValue

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


def retried() -> None:
    time.sleep(COOL_OFF_SECONDS + 0.05)


def healed() -> bool:
    """What the next writer, or any loop, brings about."""
    live.quoted({"BTC": make_price()})
    return live.heal()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "trading.live.redis.outage"]


def test_a_dead_server_is_waited_for_once_and_logged_once(server: OwnServer, caplog: pytest.LogCaptureFixture) -> None:
    store.write(keys.POSITIONS, {"ann": make_positions()})
    server.kill()
    caplog.set_level(logging.WARNING)
    started = time.monotonic()

    for _ in range(200):
        assert not store.write(keys.POSITIONS, {"ann": make_positions()})
        assert store.read_one(keys.POSITIONS, "ann") == MissingValue(unavailable=True)
    assert store.read_all(keys.POSITIONS) is None
    assert store.read_leaderboard() is None

    # Each of the four hundred would take a second.
    assert time.monotonic() - started < 20
    assert len([line for line in said(caplog) if "cannot write" in line]) <= 1
    assert len(said(caplog)) <= 3
    assert outage.failures["write"] >= 200


def test_after_a_restart_without_data_the_store_is_equal_again(server: OwnServer) -> None:
    names = big_fleet.fill(3)
    live.rebuild_all()
    server.kill()
    assert not live.catch_up(names[:1])

    server.start()
    retried()

    assert healed()
    assert live_verify.verify().differences == ()
    assert not live.heal()


def test_a_flush_heals_without_any_outage(server: OwnServer) -> None:
    big_fleet.fill(3)
    live.rebuild_all()
    server.client.flushall()
    follower.current(now=True)

    assert healed()
    assert live_verify.verify().differences == ()


def test_a_full_server_is_read_and_heals_when_there_is_room(
    server: OwnServer, caplog: pytest.LogCaptureFixture
) -> None:
    names = big_fleet.fill(3)
    live.rebuild_all()
    server.client.config_set("maxmemory", 1)

    for _ in range(3):
        assert not live.catch_up(names[:1])
        assert isinstance(store.read_one(keys.POSITIONS, names[0]), FreshValue)
    # Counts are added every ten seconds only: that one failed must not keep the store from healing until then.
    counts.flush()
    assert not live.heal()
    server.client.config_set("maxmemory", 0)
    server.client.hdel(keys.POSITIONS.name, names[0])

    assert healed()
    assert live_verify.verify().differences == ()
    assert len([line for line in said(caplog) if "cannot write" in line]) == 1


def test_a_read_only_replica_after_a_failover_is_read_and_heals(server: OwnServer) -> None:
    names = big_fleet.fill(2)
    live.rebuild_all()
    server.client.replicaof("127.0.0.1", "1")

    assert not live.catch_up(names)
    assert isinstance(store.read_one(keys.POSITIONS, names[0]), FreshValue)
    server.client.replicaof("NO", "ONE")
    server.client.hdel(keys.POSITIONS.name, names[0])

    assert healed()
    assert live_verify.verify().differences == ()


@pytest.mark.faults
def test_a_slow_server_costs_one_timeout_and_no_more(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than the calls take on any machine.
    monkeypatch.setattr(outages, "COOL_OFF_SECONDS", 600.0)
    names = big_fleet.fill(2)
    live.rebuild_all()
    server.freeze()
    waits = []
    for _ in range(20):
        started = time.monotonic()
        assert not live.catch_up(names)
        waits.append(time.monotonic() - started)
    server.thaw()
    outage.forget()
    outage.want_healing()

    assert len([wait for wait in waits if wait >= ANSWER_SECONDS]) == 1
    assert healed()
    assert live_verify.verify().differences == ()


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_trading_goes_on_while_the_server_dies_again_and_again(server: OwnServer) -> None:
    big_fleet.fill(20)
    live.rebuild_all()
    with big_fleet.Walk().writing() as walk:
        for _ in range(6):
            walk.wait_for_writes(20)
            server.kill()
            walk.wait_for_writes(40)
            server.start()
        walk.wait_for_writes(40)
        time.sleep(COOL_OFF_SECONDS)
        walk.wait_for_writes(40)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (verdict := live_verify.verify()).passed and time.monotonic() < deadline:
            time.sleep(0.2)

    assert verdict.differences == ()
    assert walk.longest_wait < ANSWER_SECONDS * 1.5 + 1
    assert get_redis_connection("default").hlen(keys.POSITIONS.name) == 20
