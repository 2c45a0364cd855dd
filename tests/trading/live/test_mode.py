from __future__ import annotations

import time
from decimal import Decimal

import pytest
from django_redis import get_redis_connection

from tests.factories import make_trader, sync_traders
from tests.live_factories import make_price
from trading.live.keys import CONTROL, PRICE
from trading.live.migration.modes import LayoutMode
from trading.live.redis import mode, store
from trading.live.redis.layouts import UnknownMode
from trading.live.redis.mode import FOLLOW_SECONDS, ModeFollower, ModeState, follower, share_of, switch
from trading.schema.live_store.answers import FreshValue, MissingValue
from trading.schema.live_store.values import Price


def test_a_site_that_never_switched_has_the_new_layout() -> None:
    assert follower.current() == ModeState(LayoutMode.HASH, 100)


def test_others_follow_within_a_second() -> None:
    other = ModeFollower()
    assert other.current().mode == LayoutMode.HASH

    switch(get_redis_connection("default"), LayoutMode.DUAL, 10)
    time.sleep(FOLLOW_SECONDS)

    assert (other.current().mode, other.current().read_new_pct) == (LayoutMode.DUAL, 10)


def test_a_call_that_runs_keeps_its_process_from_acknowledging() -> None:
    redis = get_redis_connection("default")
    other = ModeFollower()

    with other.in_use() as before:
        state = switch(redis, LayoutMode.DUAL, 0)
        other.current(now=True)
        assert mode.followers(redis)[other.id][0] == before.revision
        assert mode.wait_for_acknowledgements(redis, state, timeout_seconds=0.1) == [other.id]
    other.current(now=True)

    assert mode.wait_for_acknowledgements(redis, state, timeout_seconds=0.1) == []


def test_who_was_not_heard_of_for_long_is_not_waited_for() -> None:
    redis = get_redis_connection("default")
    redis.hset(CONTROL, "follower:gone:1:ab", f"0:{time.time() - 11:.3f}")
    redis.hset(CONTROL, "follower:long-gone:1:ab", f"0:{time.time() - 4000:.3f}")

    assert mode.wait_for_acknowledgements(redis, switch(redis, LayoutMode.DUAL, 0), timeout_seconds=0.1) == []
    assert mode.forget_the_gone(redis) == 1


def test_what_was_switched_stays_switched_when_redis_is_emptied() -> None:
    redis = get_redis_connection("default")
    switch(redis, LayoutMode.LEGACY, 0)
    redis.flushdb()

    assert follower.current(now=True).mode == LayoutMode.LEGACY
    assert ModeFollower().current().mode == LayoutMode.LEGACY


def test_a_share_is_stable_and_grows() -> None:
    traders = [f"trader_{n}" for n in range(1000)]
    tenth = {name for name in traders if ModeState(LayoutMode.DUAL, 10).reads_new(name)}
    third = {name for name in traders if ModeState(LayoutMode.DUAL, 33).reads_new(name)}

    assert tenth < third
    assert 60 < len(tenth) < 140
    assert not any(ModeState(LayoutMode.DUAL, 0).reads_new(name) for name in traders)
    assert all(ModeState(LayoutMode.DUAL, 100).reads_new(name) for name in traders)


@pytest.mark.parametrize("symbol", ["BTC", "BTC/USDT:USDT", "xyz:TSLA"])
def test_a_symbol_is_in_the_same_share_with_every_known_provider(symbol: str) -> None:
    providers = {"hyperliquid", "hyperliquid_testnet"}
    assert {share_of(f"{name}:{symbol}", providers) for name in providers} == {share_of(symbol, providers)}


@pytest.mark.django_db
def test_prices_of_a_symbol_are_read_from_one_layout() -> None:
    sync_traders(make_trader())
    redis = get_redis_connection("default")
    symbol = "BTC/USDT:USDT"
    names = [symbol, f"paper_trading:{symbol}"]
    store.write(PRICE, {name: make_price() for name in names})

    # The old layout holds none of them.
    for share, kind in ((share_of(symbol) + 1, FreshValue), (share_of(symbol), MissingValue)):
        switch(redis, LayoutMode.DUAL, share)
        assert {type(answer) for answer in store.read(PRICE, names).values()} == {kind}


def test_symbols_that_end_alike_have_shares_of_their_own() -> None:
    assert len({share_of(f"COIN{n}/USDT:USDT") for n in range(50)}) > 20


def test_a_mode_that_this_version_does_not_know_is_refused_by_name() -> None:
    redis = get_redis_connection("default")
    redis.hset(CONTROL, mode.FIELD, '{"mode":"tree","read_new_pct":100,"revision":1}')

    with pytest.raises(UnknownMode, match="'tree'; this version knows dual, hash, legacy"):
        store.write(PRICE, {"BTC": Price(1, Decimal(1))})
    assert not redis.exists(PRICE.name)


def test_a_mode_writes_its_layouts_in_order() -> None:
    written = {name: [type(layout).__name__ for layout in ModeState(name).layouts] for name in LayoutMode}

    assert written == {
        LayoutMode.LEGACY: ["OldLayout"],
        LayoutMode.DUAL: ["NewLayout", "OldLayout"],
        LayoutMode.HASH: ["NewLayout"],
    }
