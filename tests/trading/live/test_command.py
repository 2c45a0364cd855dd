from __future__ import annotations

import json
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_redis import get_redis_connection

from tests.live_factories import ago, make_positions, make_price
from tests.trading.live import big_fleet
from trading.live import keys
from trading.live import services as live
from trading.live.migration.old_compare import with_old
from trading.live.redis import store
from trading.live.redis.reads import counts
from trading.record.stored.symbols import learn
from trading.schema.live_store.answers import FreshValue, MissingValue, StaleValue

pytestmark = pytest.mark.django_db


def livestore(*arguments: str) -> str:
    out = StringIO()
    call_command("livestore", *arguments, stdout=out)
    return out.getvalue()


def redis() -> Any:
    return get_redis_connection("default")


def differences(*arguments: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("livestore", "verify", *arguments, stdout=out)
    assert ended.value.code == 1
    return out.getvalue()


def test_status_tells_keys_ages_and_mode() -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    live.quoted({"BTC": make_price(as_of=ago(60))})

    assert "mode: hash" in livestore("status")
    found = json.loads(livestore("status", "--json"))

    by_name = {key["name"]: key for key in found["keys"]}
    assert by_name["nof0:price:latest"]["stale"] == 1
    assert by_name["nof0:trader:positions"]["fields"] == 2
    assert by_name["nof0:trader:positions"]["bytes"] > 100
    assert found["old_layout"]["keys"] == 0


def test_status_tells_how_many_reads_were_fresh() -> None:
    big_fleet.fill(3)
    live.rebuild_all()
    counts.flush()
    redis().delete(keys.CONTROL)
    for name in ("trader_000", "trader_001", "trader_002", "nobody"):
        store.read_one(keys.POSITIONS, name)

    assert "75.00 % of all reads found a fresh value" in livestore("status")


def test_a_rebuild_restores_everything_after_a_flush() -> None:
    big_fleet.fill(3)
    live.rebuild_all()
    before = {name: redis().dump(name) for name in redis().keys("nof0:trader:*")}
    redis().flushdb()

    assert livestore("rebuild") == "3 traders filled from PostgreSQL.\n"

    assert sorted(before) == sorted(redis().keys("nof0:trader:*"))
    assert "equal" in livestore("verify")


def test_verify_names_every_difference() -> None:
    big_fleet.fill(3)
    live.rebuild_all()
    store.write(keys.POSITIONS, {"trader_000": make_positions("ETH"), "ghost": make_positions()})
    redis().hset(keys.ANALYTICS.name, "trader_001", "*")
    redis().hdel(keys.DECISION_LAST.name, "trader_002")
    redis().zadd(keys.LEADERBOARD.name, {"trader_001": 99})
    redis().delete("nof0:conversations:trader_002")
    live.quoted({"BTC": make_price(as_of=ago(60))})

    said = differences()

    for part in (
        "nof0:trader:positions trader_000: expected positions=",
        "nof0:trader:positions ghost: expected no such trader",
        "nof0:trader:analytics trader_001",
        "nof0:trader:decision_last trader_002",
        "nof0:leaderboard trader_001",
        "nof0:conversations:trader_002",
        "nof0:price:latest BTC: expected at most 30 s old, found 6",
        "7 differences",
    ):
        assert part in said


def test_verify_compares_old_with_new() -> None:
    big_fleet.fill(2)
    big_fleet.as_old_layout()
    livestore("mode", "dual")
    assert "equal" in livestore("verify")
    redis().set("nof0:analytics:trader_001", '{"total_pnl_usd":7}', ex=600)

    assert "nof0:analytics:trader_001" in differences("--against", "old")


def test_show_prints_a_value_decoded() -> None:
    big_fleet.fill(1)
    live.rebuild_all()

    assert '"quantity":0.010' in livestore("show", "nof0:trader:positions", "trader_000")
    assert "trader_000 {" in livestore("show", "nof0:trader:trades_recent")
    assert '"conversation"' in livestore("show", "nof0:conversations:trader_000")
    with pytest.raises(CommandError, match="is no key of the live store"):
        livestore("show", "nof0:nonsense")
    with pytest.raises(CommandError, match="nothing in"):
        livestore("show", "nof0:trader:positions", "ghost")


def test_a_cutover_needs_a_recent_verify_that_passed() -> None:
    big_fleet.fill(2)
    with pytest.raises(CommandError, match="begins in dual"):
        livestore("cutover")
    big_fleet.as_old_layout()
    livestore("mode", "dual")
    with pytest.raises(CommandError, match="no verify has passed"):
        livestore("cutover")
    livestore("verify")
    with pytest.raises(CommandError, match="minutes ago"):
        livestore("cutover", "--within", "0")

    assert "mode: hash" in livestore("cutover")


def test_cleanup_refuses_while_the_old_layout_is_written() -> None:
    big_fleet.fill(2)
    big_fleet.as_old_layout()
    for mode in ("legacy", "dual"):
        livestore("mode", mode)
        with pytest.raises(CommandError, match="still written"):
            livestore("cleanup")
    livestore("verify")
    livestore("cutover")
    redis().set("nof0:market:asset:hyperliquid:BTC", "{}")
    redis().hset("nof0:market:asset:hyperliquid", "BTC", "{}")
    redis().expire("nof0:market:asset:hyperliquid", 300)
    redis().set("mine", 1)
    before = redis().dbsize()

    said = livestore("cleanup", "--dry-run")
    assert redis().dbsize() == before
    assert said.split()[0] == livestore("cleanup").split()[0]
    assert livestore("cleanup").startswith("0 old keys")
    assert redis().ttl("nof0:market:asset:hyperliquid") == -1
    assert redis().get("mine") == b"1"


def test_a_rollback_fills_the_old_layout_again() -> None:
    big_fleet.fill(3)
    live.rebuild_all()
    live.quoted({"hyperliquid:BTC": make_price()})

    assert livestore("rollback").startswith("mode: dual, 0 %")

    assert redis().type("nof0:conversations:trader_000") == b"string"
    assert redis().exists("nof0:positions:trader_000", "nof0:price:latest:hyperliquid:BTC") == 2
    assert livestore("rollback").startswith("mode: legacy")
    with pytest.raises(CommandError, match="no step before"):
        livestore("rollback")


def test_the_mode_goes_step_by_step() -> None:
    big_fleet.fill(1)
    assert livestore("mode") == "hash\n"

    assert livestore("mode", "legacy").startswith("mode: legacy")
    assert livestore("mode", "dual", "--read", "hash", "--percent", "10").startswith("mode: dual, 10 %")
    assert livestore("mode", "--read", "old").startswith("mode: dual, 0 %")
    with pytest.raises(CommandError, match="no verify has passed"):
        livestore("mode", "hash")
    with pytest.raises(CommandError):
        livestore("mode", "dual", "--read", "hash", "--percent", "101")


def test_the_mirror_follows_an_engine_that_knows_the_old_layout_only() -> None:
    redis().set("nof0:positions:ann", '{"BTC":{"symbol":"BTC","side":"long","quantity":1,"entry_price":2}}', px=25_000)
    redis().set("nof0:conversations:ann", "[42,41]", ex=300)
    redis().set("nof0:price:latest:BTC", f'{{"price":5,"ts":{ago(1) // 1000}}}', ex=10)
    redis().set("nof0:trades:recent:ann", "spoilt", ex=10)
    redis().set("nof0:leaderboard:cache", f'{{"model_id":"ann","score":1.5,"updated_at":{ago(1) // 1000}}}', ex=60)

    assert livestore("mirror", "--once").startswith("3 copied")

    answer = store.read_one(keys.POSITIONS, "ann")
    assert isinstance(answer, FreshValue)
    assert 4 < answer.age_seconds < 35
    assert isinstance(store.read_one(keys.PRICE, "BTC"), FreshValue)
    assert store.read_one(keys.TRADES_RECENT, "ann") == MissingValue()
    conversations = store.read_conversations(["ann"])["ann"]
    assert isinstance(conversations, FreshValue)
    assert [item.conversation for item in conversations.value] == ["42", "41"]
    assert list(store.read_leaderboard() or {}) == ["ann"]


def test_the_mirror_writes_symbols_as_the_exchange_does() -> None:
    big_fleet.fill(1)
    for provider in ("paper_trading", "hyperliquid_testnet"):
        learn(provider, ["kPEPE"])
    held = '{"KPEPE":{"symbol":"KPEPE","side":"long","quantity":1,"entry_price":2}}'
    traded = '[{"symbol":"KPEPE","side":"long","quantity":1,"entry_price":2,"exit_price":3,"realized_pnl":1,'
    traded += '"closed_at_ms":1760000000000}]'
    decided = f'{{"success":true,"timestamp_ms":{ago(1) // 1000},"symbol":"KPEPE","action":"open_long"}}'
    redis().set("nof0:positions:trader_000", held, ex=30)
    redis().set("nof0:trades:recent:trader_000", traded, ex=60)
    redis().set("nof0:decision:last:trader_000", decided, ex=60)
    redis().set("nof0:price:latest:hyperliquid_testnet:KPEPE", f'{{"price":5,"ts":{ago(1) // 1000}}}', ex=10)

    assert livestore("mirror", "--once").startswith("4 copied")

    assert redis().hkeys(keys.PRICE.name) == [b"hyperliquid_testnet:kPEPE"]
    positions, trades, decision = (
        store.read_one(key, "trader_000") for key in (keys.POSITIONS, keys.TRADES_RECENT, keys.DECISION_LAST)
    )
    assert isinstance(positions, FreshValue)
    assert isinstance(trades, FreshValue)
    assert isinstance(decision, FreshValue)
    assert list(positions.value.positions) == ["kPEPE"]
    assert [one.symbol for one in trades.value.trades] == ["kPEPE"]
    assert decision.value.symbol == "kPEPE"


def test_capitals_of_the_old_engine_are_no_difference() -> None:
    big_fleet.fill(1)
    learn("hyperliquid_testnet", ["kPEPE"])
    price = make_price()
    redis().set(
        "nof0:price:latest:hyperliquid_testnet:KPEPE", f'{{"price":{price.price},"ts":{price.as_of // 1000}}}', ex=10
    )
    live.quoted({"hyperliquid_testnet:kPEPE": price})

    assert [one for _count, found in with_old(redis(), 0, 0.0) for one in found] == []


def test_the_mirror_keeps_up_and_sees_positions_deleted() -> None:
    from trading.live.switch import mirror as live_mirror

    looks = live_mirror.rounds()
    redis().set("nof0:positions:ann", '{"BTC":{"symbol":"BTC","side":"long","quantity":1,"entry_price":2}}', ex=30)
    first, again = next(looks).round, next(looks).round
    time.sleep(0.15)
    redis().set("nof0:positions:ann", '{"BTC":{"symbol":"BTC","side":"long","quantity":3,"entry_price":2}}', ex=30)
    changed = next(looks).round
    answer = store.read_one(keys.POSITIONS, "ann")
    redis().delete("nof0:positions:ann")
    emptied = next(looks).round

    assert first
    assert again
    assert changed
    assert emptied
    assert (first.copied, again.copied, changed.copied, emptied.emptied) == (1, 0, 1, 1)
    assert changed.lag_seconds is not None
    assert changed.lag_seconds < 30
    assert isinstance(answer, FreshValue)
    assert answer.value.positions["BTC"].quantity == 3
    after = store.read_one(keys.POSITIONS, "ann")
    assert isinstance(after, FreshValue)
    assert after.value.positions == {}


def test_a_sweep_removes_what_is_long_dead_only() -> None:
    big_fleet.fill(1)
    live.rebuild_all()
    store.write(keys.POSITIONS, {"ghost": make_positions(as_of=ago(3600)), "new": make_positions()})
    live.quoted({"OLD": make_price(as_of=ago(90_000)), "BTC": make_price(as_of=ago(60))})

    assert livestore("sweep", "--dry-run").startswith("2 dead")
    assert livestore("sweep").startswith("2 dead")

    assert sorted(redis().hkeys(keys.POSITIONS.name)) == [b"new", b"trader_000"]
    assert isinstance(store.read_one(keys.PRICE, "BTC"), StaleValue)
    assert livestore("sweep").startswith("0 dead")
