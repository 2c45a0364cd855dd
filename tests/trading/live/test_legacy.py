"""The old layout's JSON, byte for byte as its engine wrote it, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django_redis import get_redis_connection
from msgspec import structs

from tests.live_factories import (
    ago,
    make_analytics,
    make_context,
    make_conversations,
    make_inception,
    make_last_decision,
    make_positions,
    make_price,
    make_recent,
    now_us,
)
from tests.trading.live import big_fleet
from trading.live.keys import ANALYTICS, CONVERSATIONS, DECISION_LAST, MARKET_CTX, POSITIONS, PRICE
from trading.live.migration import legacy, legacy_store, old_compare
from trading.live.migration.legacy import OldKey
from trading.live.migration.modes import LayoutMode
from trading.live.redis import store
from trading.live.redis.mode import switch
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.answers import CorruptValue, FreshValue, MissingValue
from trading.schema.live_store.values import Leader, Positions

NOW = 1_761_452_335_744_000
SAMPLES = [
    (legacy.PRICE, b'{"price":111317.5,"ts":1761452335744}'),
    (
        legacy.CONTEXT,
        b'{"price":111317.5,"change":{"OneHour":0.0012,"FourHour":-0.0034},"funding":{"Rate":0.0000125},'
        b'"oi":{"Latest":28123.4,"Average":28000.1},"indicators":{"EMA":{"EMA20":111200.1},"MACD":12.3,'
        b'"RSI":{"RSI7":61.2}},"timestamp_ms":1761452335744}',
    ),
    (
        legacy.POSITIONS,
        b'{"BTC":{"symbol":"BTC","side":"long","quantity":0.01,"entry_price":45000.5,"leverage":10,"confidence":85,'
        b'"risk_usd":50,"updated_at_ms":1704678000000,"exchange":"hyperliquid_testnet"}}',
    ),
    (
        legacy.TRADES,
        b'[{"model_id":"ann","symbol":"BTC","side":"long","quantity":0.01,"entry_price":45000.5,"exit_price":45500.0,'
        b'"realized_pnl":4.5,"confidence":85,"closed_at_ms":1704678300000,"exchange":"hyperliquid_testnet",'
        b'"entry_time_ms":1704678000000,"leverage":10,"position_size":0.01}]',
    ),
    (
        legacy.ANALYTICS,
        b'{"total_pnl_usd":150.0,"total_pnl_pct":1.5,"sharpe_ratio":1.5,"win_rate":0.5,"total_trades":12,'
        b'"max_drawdown_pct":4.2,"updated_at_rfc3339":"2025-10-26T04:18:55Z"}',
    ),
    (legacy.INCEPTION, b'{"total_pnl_usd":150.0,"total_pnl_pct":1.5,"sharpe_ratio":1.5}'),
    (
        legacy.DECISION,
        b'{"model_id":"ann","success":true,"timestamp_ms":1704678000000,"symbol":"BTC","action":"open_long",'
        b'"confidence":85}',
    ),
]


@pytest.mark.parametrize(("old", "raw"), SAMPLES, ids=lambda value: getattr(value, "prefix", ""))
def test_what_the_old_engine_wrote_is_read_and_written_the_same(old: OldKey, raw: bytes) -> None:
    value = old.value(raw, NOW)

    assert isinstance(value, old.key.value)
    assert legacy.same(legacy.parsed(old.text("ann", value)), legacy.parsed(raw))


@pytest.mark.parametrize("old", legacy.STRINGS, ids=lambda old: old.prefix)
@pytest.mark.parametrize("raw", [b"*", b"{}", b"[]", b"null", b"7", b'"x"', b'{"BTC":7}', b"\xff"])
def test_what_is_no_value_is_refused_or_empty(old: OldKey, raw: bytes) -> None:
    if raw in (b"{}", b"[]", b"null") and old in (legacy.POSITIONS, legacy.TRADES):
        return
    with pytest.raises(ValueError, match=r".+"):
        old.value(raw, NOW)


NULLS = [
    (
        legacy.CONTEXT,
        b'{"price":111317.5,"change":{"OneHour":null,"FourHour":null},"funding":{"Rate":null},'
        b'"oi":{"Latest":null,"Average":null},"indicators":{"EMA":{"EMA20":null},"MACD":null,"RSI":null},'
        b'"timestamp_ms":1761452335744}',
    ),
    (
        legacy.CONTEXT,
        b'{"price":111317.5,"change":null,"funding":null,"oi":null,"indicators":null,"timestamp_ms":1761452335744}',
    ),
    (legacy.CONTEXT, b'{"price":111317.5,"timestamp_ms":1761452335744}'),
    (
        legacy.POSITIONS,
        b'{"BTC":{"side":"long","quantity":0.01,"entry_price":45000.5,"leverage":null,"confidence":null,'
        b'"risk_usd":null,"updated_at_ms":null,"exchange":null}}',
    ),
    (legacy.POSITIONS, b"null"),
    (
        legacy.TRADES,
        b'[{"symbol":"BTC","side":"long","quantity":0.01,"entry_price":45000.5,"exit_price":45500.0,"realized_pnl":4.5,'
        b'"confidence":null,"closed_at_ms":1704678300000,"exchange":null,"entry_time_ms":null,"leverage":null,'
        b'"position_size":null}]',
    ),
    (legacy.TRADES, b"null"),
    (
        legacy.ANALYTICS,
        b'{"total_pnl_usd":150.0,"total_pnl_pct":null,"sharpe_ratio":null,"win_rate":null,"total_trades":null,'
        b'"max_drawdown_pct":null,"updated_at_rfc3339":null}',
    ),
    (legacy.INCEPTION, b'{"total_pnl_usd":150.0,"total_pnl_pct":null,"sharpe_ratio":null}'),
    (
        legacy.DECISION,
        b'{"success":true,"timestamp_ms":1704678000000,"symbol":null,"action":null,"confidence":null,"error":null,'
        b'"config_version":null}',
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "raw"), NULLS, ids=lambda value: getattr(value, "prefix", ""))
def test_a_null_is_no_difference_between_the_layouts(old: OldKey, raw: bytes) -> None:
    redis = get_redis_connection("default")
    redis.set(old.name("ann"), raw, ex=old.seconds)
    store.write(old.key, {"ann": old.value(raw, now_us())})

    assert _differences() == []


@pytest.mark.django_db
def test_a_number_that_differs_is_a_difference_between_the_layouts() -> None:
    raw = NULLS[0][1]
    get_redis_connection("default").set(legacy.CONTEXT.name("ann"), raw, ex=60)
    now = now_us()
    store.write(MARKET_CTX, {"ann": structs.replace(legacy.CONTEXT.value(raw, now), funding_rate=Decimal("0.1"))})

    (difference,) = _differences()
    assert "funding" in difference


def _differences() -> list[str]:
    compared = old_compare.with_old(get_redis_connection("default"), looks=0, pause_seconds=0)
    return [str(one) for _, differences in compared for one in differences]


def test_the_age_follows_from_what_is_left_of_the_time_to_live() -> None:
    assert legacy.POSITIONS.as_of(20_000, NOW) == NOW - 10_000_000
    assert legacy.POSITIONS.as_of(-1, NOW) == NOW - 30_000_000
    assert legacy.POSITIONS.as_of(99_000, NOW) == NOW


def test_in_the_mode_legacy_only_the_old_keys_are_written_and_read() -> None:
    redis = get_redis_connection("default")
    switch(redis, LayoutMode.LEGACY, 0)
    now = now_us()
    writes = StoreWrites(leaders={"ann": Leader(now, 1.5)}, conversations={"ann": make_conversations(3, 2, 1)})
    writes.add(POSITIONS, {"ann": make_positions()})
    writes.add(DECISION_LAST, {"ann": make_last_decision()})
    writes.add(PRICE, {"BTC": make_price(), "hyperliquid:BTC": make_price()})

    assert store.write_all(writes)

    assert big_fleet.stored_names() == [
        *("nof0:conversations:ann", "nof0:crypto_prices", "nof0:decision:last:ann", "nof0:leaderboard:cache"),
        *("nof0:live", "nof0:positions:ann", "nof0:price:latest:BTC", "nof0:price:latest:hyperliquid:BTC"),
    ]
    assert redis.get("nof0:conversations:ann") == b"[3,2,1]"
    assert redis.get("nof0:crypto_prices") == b'{"hyperliquid:BTC":111317.50}'
    assert 25 < redis.ttl("nof0:positions:ann") <= 30
    answer = store.read_one(POSITIONS, "ann")
    assert isinstance(answer, FreshValue)
    assert answer.value.positions == make_positions().positions
    assert list(store.read_all(POSITIONS) or {}) == ["ann"]
    assert list(store.read_leaderboard() or {}) == ["ann"]
    conversations = store.read_conversations(["ann"])["ann"]
    assert isinstance(conversations, FreshValue)
    assert [item.conversation for item in conversations.value] == ["3", "2", "1"]


def test_who_holds_nothing_has_no_key() -> None:
    switch(get_redis_connection("default"), LayoutMode.LEGACY, 0)
    store.write(POSITIONS, {"ann": make_positions()})

    store.write(POSITIONS, {"ann": make_positions().__class__(now_us())})

    assert store.read_one(POSITIONS, "ann") == MissingValue()


def test_a_spoilt_old_value_is_reported_and_skipped() -> None:
    redis = get_redis_connection("default")
    switch(redis, LayoutMode.LEGACY, 0)
    redis.set("nof0:positions:ann", "*", ex=30)
    redis.rpush("nof0:positions:bob", "a list")

    found = store.read(POSITIONS, ["ann", "bob"])

    assert [type(found[name]) for name in ("ann", "bob")] == [CorruptValue, CorruptValue]


def test_both_layouts_hold_conversations_under_one_name() -> None:
    redis = get_redis_connection("default")
    store.write_all(StoreWrites(conversations={"ann": make_conversations(1)}))
    switch(redis, LayoutMode.DUAL, 50)

    for number in (2, 3):
        assert store.write_all(
            StoreWrites(conversations={"ann": make_conversations(number), "bob": make_conversations(9)})
        )

    assert redis.get("nof0:conversations:ann") == b"[3]"
    assert redis.llen("{nof0:conversations:ann}:list") == 1
    found = store.read_conversations(["ann", "bob"])
    assert {name: answer.value[0].conversation for name, answer in found.items() if isinstance(answer, FreshValue)} == {
        "ann": "3",
        "bob": "9",
    }


def test_a_list_finds_its_name_again_when_the_string_has_expired() -> None:
    redis = get_redis_connection("default")
    switch(redis, LayoutMode.DUAL, 100)
    store.write_all(StoreWrites(conversations={"ann": make_conversations(1)}))
    switch(redis, LayoutMode.HASH, 100)
    redis.delete("nof0:conversations:ann")

    before = store.read_conversations(["ann"])["ann"]
    store.write_all(StoreWrites(conversations={"ann": make_conversations(2)}))

    assert isinstance(before, FreshValue)
    assert redis.type(CONVERSATIONS.named("ann")) == b"list"
    assert not redis.exists("{nof0:conversations:ann}:list")


def test_unknown_numbers_are_zero_as_the_old_engine_had_them() -> None:
    bare = make_analytics(return_pct=None, sharpe=None, max_drawdown_pct=None, executed_share=None, last_actions=None)

    old = legacy.parsed(legacy.ANALYTICS.text("ann", bare))

    assert (old["total_pnl_pct"], old["win_rate"], old["total_trades"]) == (0, 0, 0)


def test_new_values_survive_the_old_layout_where_it_has_a_place_for_them() -> None:
    for old, value in (
        (legacy.POSITIONS, make_positions("BTC", "ETH")),
        (legacy.TRADES, make_recent(3)),
        (legacy.ANALYTICS, make_analytics()),
        (legacy.INCEPTION, make_inception()),
        (legacy.DECISION, make_last_decision()),
        (legacy.CONTEXT, make_context()),
    ):
        assert old.value(old.text("ann", value), value.as_of) == value


def test_a_rebuild_renews_what_is_older_in_the_old_layout_and_keeps_what_is_younger() -> None:
    redis: Any = get_redis_connection("default")
    switch(redis, LayoutMode.LEGACY, 0)
    redis.set("nof0:analytics:ann", '{"total_pnl_usd":1}', px=500_000)
    redis.set("nof0:analytics:bob", '{"total_pnl_usd":1}', ex=600)
    redis.set("nof0:positions:ann", '{"BTC":{}}', px=10_000)
    values = {"ann": make_analytics("2", as_of=ago(5)), "bob": make_analytics("2", as_of=ago(5))}

    legacy_store.renew(redis, ANALYTICS, values)
    legacy_store.renew(redis, POSITIONS, {"ann": Positions(ago(5))})

    assert b'"total_pnl_usd":2' in redis.get("nof0:analytics:ann")
    assert redis.get("nof0:analytics:bob") == b'{"total_pnl_usd":1}'
    assert not redis.exists("nof0:positions:ann")
