"""The Go engine's layout of hashes in the same Redis database: it has our names, other values, and lets keys expire."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django_redis import get_redis_connection

from tests.live_factories import make_analytics, make_conversations, make_positions, make_price, now_us
from tests.traders.admin.people import browser_of
from tests.trading.live import big_fleet
from traders.accounts.rules import Role
from trading.export.watch import Watch
from trading.live import keys
from trading.live import services as live
from trading.live.keys import ANALYTICS, CONTROL, CONVERSATIONS, LEADERBOARD, POSITIONS, PRICE, TRADER_HASHES
from trading.live.page import fresh
from trading.live.redis import mode, store
from trading.live.redis.reads import counts
from trading.live.redis.writes import StoreWrites
from trading.live.upkeep import status as live_status
from trading.schema.live_store.answers import CorruptValue, FreshValue, MissingValue
from trading.schema.live_store.values import Leader

pytestmark = pytest.mark.django_db
LIVE = "/admin/trading/position/live/"

WRITTEN = {
    keys.POSITIONS: (
        '{"BTC":{"symbol":"BTC","side":"long","quantity":0.01,"entry_price":45000.5,"leverage":10,'
        '"updated_at_ms":1704678000000}}',
        30,
    ),
    keys.TRADES_RECENT: (
        '[{"model_id":"trader_000","symbol":"BTC","side":"long","quantity":0.01,"entry_price":45000.5,'
        '"exit_price":45500,"realized_pnl":4.5,"closed_at_ms":1704678300000}]',
        60,
    ),
    keys.ANALYTICS: (
        '{"total_pnl_usd":150,"total_pnl_pct":1.5,"sharpe_ratio":1.5,"win_rate":0.5,"total_trades":12,'
        '"max_drawdown_pct":4.2,"updated_at_rfc3339":"2025-01-08T10:30:00Z"}',
        600,
    ),
    keys.SINCE_INCEPTION: ('{"total_pnl_usd":150,"total_pnl_pct":1.5,"sharpe_ratio":1.5}', 300),
    keys.DECISION_LAST: (
        '{"model_id":"trader_000","success":true,"timestamp_ms":1704678000000,"symbol":"BTC","action":"open_long",'
        '"confidence":85,"config_version":3}',
        60,
    ),
}


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    counts.flush()
    redis().delete(CONTROL)


def redis() -> Any:
    return get_redis_connection("default")


def go_engine(trader_id: str) -> None:
    """One round of its writes."""
    for key, (text, seconds) in WRITTEN.items():
        redis().hset(key.name, trader_id.lower(), text)
        redis().expire(key.name, seconds)
    redis().zadd(LEADERBOARD.name, {trader_id: 1.5})


def status(*options: str) -> str:
    out = StringIO()
    call_command("livestore", "status", *options, stdout=out)
    return out.getvalue()


def test_a_database_of_its_own_is_said_to_be_shared_by_nobody() -> None:
    big_fleet.fill(2)
    live.rebuild_all()

    assert "shared" not in status()
    assert json.loads(status("--json"))["sharing"] == {
        "is_shared": False,
        "is_go_engine": False,
        "keys": [],
        "persisted": {},
        "persisted_at_ms": None,
        "message": None,
    }


@pytest.mark.parametrize("key", WRITTEN, ids=lambda key: key.name)
def test_each_value_of_the_go_engine_is_recognised(key: keys.Key) -> None:
    redis().hset(key.name, "ann", WRITTEN[key][0])
    redis().hset(key.name, "bob", "*")

    [found] = live_status.status().keys

    assert (found.foreign, found.go_engine) == (2, 1)


def test_status_and_the_page_say_what_shares_the_database_and_what_to_do() -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    go_engine("Trader_X")

    said = status()
    page = browser_of(Role.VIEWER).get(LIVE).content.decode()

    for text in (said, page):
        assert "The Go engine with its layout of hashes writes into this Redis database" in text
        assert "nof0:trader:positions has 1 of its values and expires in" in text
        assert "nof0:leaderboard has 1 of its values" in text
        assert "Give each program a Redis database of its own" in text
    sharing = json.loads(status("--json"))["sharing"]
    assert sharing["is_go_engine"]
    assert {key["name"] for key in sharing["keys"]} == {key.name for key in (*TRADER_HASHES, LEADERBOARD)}


def test_a_program_that_only_lets_keys_expire_is_named_so() -> None:
    store.write(PRICE, {"BTC": make_price()})
    redis().expire(PRICE.name, 50)

    said = status()

    assert "Another program lets keys of the live store expire: nof0:price:latest expires in " in said
    assert "Go engine" not in said


def test_the_old_engine_may_let_the_assets_expire_during_the_switch_over() -> None:
    redis().hset("nof0:market:asset:hyperliquid", "BTC", '{"symbol":"BTC","is_active":true,"updated_at":1761452335744}')
    redis().expire("nof0:market:asset:hyperliquid", 300)
    assert live_status.status().sharing.is_shared

    mode.switch(redis(), "dual", 0)

    assert not live_status.status().sharing.is_shared


def test_every_write_takes_an_expire_off_its_key_and_counts_it() -> None:
    now = now_us()
    writes = StoreWrites(leaders={"ann": Leader(now, 1.5)}, conversations={"ann": make_conversations(1)}, as_of=now)
    for key in TRADER_HASHES:
        writes.gone[key] = ["nobody"]
    writes.add(POSITIONS, {"ann": make_positions()})
    writes.add(PRICE, {"BTC": make_price()})
    store.write_all(writes)
    written = (POSITIONS.name, PRICE.name, LEADERBOARD.name, keys.LEADERBOARD_AS_OF, "nof0:conversations:ann")
    for name in written:
        assert redis().expire(name, 30)

    store.write_all(writes)

    assert [redis().ttl(name) for name in written] == [-1] * 5
    assert live_status.status().sharing.persisted == {
        POSITIONS.name: 1,
        PRICE.name: 1,
        LEADERBOARD.name: 2,
        CONVERSATIONS.name: 1,
    }
    said = status()
    assert "an EXPIRE of another program was taken off" in said
    assert "nof0:trader:positions 1 times" in said
    assert "shared: Another program lets keys of the live store expire" in said


def test_a_single_write_and_a_rebuild_take_it_off_too() -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    redis().expire(ANALYTICS.name, 600)
    store.write(ANALYTICS, {"trader_000": make_analytics()})
    assert redis().ttl(ANALYTICS.name) == -1
    for name in (ANALYTICS.name, LEADERBOARD.name):
        redis().expire(name, 600)

    live.rebuild_all()

    assert [redis().ttl(name) for name in (ANALYTICS.name, LEADERBOARD.name)] == [-1, -1]
    assert live_status.status().sharing.persisted == {ANALYTICS.name: 2, LEADERBOARD.name: 1}


def test_the_control_hash_does_not_expire_either() -> None:
    store.read_one(PRICE, "BTC")
    counts.flush()
    redis().expire(CONTROL, 30)
    store.read_one(PRICE, "BTC")

    counts.flush()

    assert redis().ttl(CONTROL) == -1
    assert live_status.status().sharing.persisted == {CONTROL: 1}


def test_the_metrics_count_it() -> None:
    store.write(PRICE, {"BTC": make_price()})
    redis().expire(PRICE.name, 30)
    store.write(PRICE, {"BTC": make_price()})
    counts.flush()
    watch = Watch()

    watch.look()

    assert watch.status(0).live_persisted == {PRICE.name: 1}


def test_values_of_the_go_engine_are_never_shown_and_break_no_reader() -> None:
    names = big_fleet.fill(2)
    live.rebuild_all()
    go_engine("trader_000")

    for key in TRADER_HASHES:
        found = store.read(key, names)
        assert isinstance(found["trader_000"], CorruptValue)
        assert isinstance(found["trader_001"], FreshValue)
        assert {one.source for one in fresh.of_traders(key, names).values()} <= {"redis", "postgresql"}
    assert fresh.of_traders(POSITIONS, names)["trader_000"].source == "postgresql"


def test_what_the_go_engine_wrote_is_replaced_by_the_next_write() -> None:
    big_fleet.fill(1)
    go_engine("trader_000")

    live.rebuild_all()

    assert "equal" in verify()
    assert not live_status.status().sharing.is_go_engine


def verify() -> str:
    out = StringIO()
    call_command("livestore", "verify", stdout=out)
    return out.getvalue()


FOREIGN = [b"", b"*", b"null", b"[]", b"{}", b"\xff\xfe", b"Z1761452335744123", b"[" * 100_000]


@pytest.mark.parametrize("raw", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_value_costs_its_own_field_alone(raw: bytes) -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    live.quoted({"BTC": make_price()})
    for key in (*TRADER_HASHES, PRICE):
        redis().hset(key.name, "trader_000", raw)
        redis().hset(key.name, b"\xff\xfe", raw)
    redis().hset(keys.LEADERBOARD_AS_OF, "trader_000", raw)
    redis().hset("nof0:market:asset:hyperliquid", "BTC", raw)
    redis().lpush("nof0:conversations:trader_000", raw)
    redis().hset(CONTROL, mapping={"verified": raw, "filled": raw, "follower:x": raw, b"reads:\xff:fresh": raw})
    redis().hset(CONTROL, mapping={f"reads:{PRICE.name}:fresh": raw, f"persisted:{PRICE.name}": raw})
    mode.follower.forget()

    for key in TRADER_HASHES:
        assert isinstance(store.read_one(key, "trader_001"), FreshValue)
        assert "trader_001" in fresh.of_traders(key, ["trader_000", "trader_001"])
    assert "BTC" in fresh.markets(PRICE)
    assert len(store.read_leaderboard() or {}) == len(fresh.leaderboard())
    assert "mode: hash" in status()
    assert b"46,000" not in browser_of(Role.VIEWER).get(LIVE).content
    counts.flush()
    call_command("livestore", "sweep", stdout=StringIO())
    Watch().look()
    assert live.catch_up(["trader_000", "trader_001"])
    assert live.rebuild_all() == 2


@pytest.mark.parametrize("raw", [b"*", b"\xff\xfe", b"[" * 100_000, b'{"mode":"tree"}'], ids=range(4))
def test_a_mode_that_cannot_be_read_leaves_readers_their_other_sources(raw: bytes) -> None:
    big_fleet.fill(1)
    live.rebuild_all()
    redis().hset(CONTROL, mode.FIELD, raw)
    mode.follower.forget()

    assert store.read_one(POSITIONS, "trader_000") == MissingValue(unavailable=True)
    assert fresh.of_traders(POSITIONS, ["trader_000"])["trader_000"].source == "postgresql"
    assert "this version knows dual, hash, legacy" in browser_of(Role.VIEWER).get(LIVE).content.decode()
