from __future__ import annotations

import time
from decimal import Decimal

import pytest
from django_redis import get_redis_connection

from trading.live.keys import CONTROL, PRICE
from trading.live.migration.modes import Mode
from trading.live.redis import mode, store
from trading.live.redis.layouts import UnknownMode
from trading.live.redis.mode import FOLLOW_SECONDS, Follower, ModeState, follower, share_of, switch
from trading.schema.live_store.values import Price


def test_a_site_that_never_switched_has_the_new_layout() -> None:
    assert follower.current() == ModeState(Mode.HASH, 100)


def test_others_follow_within_a_second() -> None:
    other = Follower()
    assert other.current().mode == Mode.HASH

    switch(get_redis_connection("default"), Mode.DUAL, 10)
    time.sleep(FOLLOW_SECONDS)

    assert (other.current().mode, other.current().read_new_pct) == (Mode.DUAL, 10)


def test_a_call_that_runs_keeps_its_process_from_acknowledging() -> None:
    redis = get_redis_connection("default")
    other = Follower()

    with other.in_use() as before:
        state = switch(redis, Mode.DUAL, 0)
        other.current(now=True)
        assert mode.followers(redis)[other.id][0] == before.revision
        assert mode.wait_for_acknowledgements(redis, state, timeout_seconds=0.1) == [other.id]
    other.current(now=True)

    assert mode.wait_for_acknowledgements(redis, state, timeout_seconds=0.1) == []


def test_who_was_not_heard_of_for_long_is_not_waited_for() -> None:
    redis = get_redis_connection("default")
    redis.hset(CONTROL, "follower:gone:1:ab", f"0:{time.time() - 11:.3f}")
    redis.hset(CONTROL, "follower:long-gone:1:ab", f"0:{time.time() - 4000:.3f}")

    assert mode.wait_for_acknowledgements(redis, switch(redis, Mode.DUAL, 0), timeout_seconds=0.1) == []
    assert mode.forget_the_gone(redis) == 1


def test_what_was_switched_stays_switched_when_redis_is_emptied() -> None:
    redis = get_redis_connection("default")
    switch(redis, Mode.LEGACY, 0)
    redis.flushdb()

    assert follower.current(now=True).mode == Mode.LEGACY
    assert Follower().current().mode == Mode.LEGACY


def test_a_share_is_stable_and_grows() -> None:
    traders = [f"trader_{n}" for n in range(1000)]
    tenth = {name for name in traders if ModeState(Mode.DUAL, 10).reads_new(name)}
    third = {name for name in traders if ModeState(Mode.DUAL, 33).reads_new(name)}

    assert tenth < third
    assert 60 < len(tenth) < 140
    assert not any(ModeState(Mode.DUAL, 0).reads_new(name) for name in traders)
    assert all(ModeState(Mode.DUAL, 100).reads_new(name) for name in traders)


@pytest.mark.parametrize("symbol", ["BTC", "DOGE"])
def test_a_symbol_is_in_the_same_share_with_every_provider(symbol: str) -> None:
    assert share_of(symbol) == share_of(f"hyperliquid:{symbol}")


def test_a_mode_that_this_version_does_not_know_is_refused_by_name() -> None:
    redis = get_redis_connection("default")
    redis.hset(CONTROL, mode.FIELD, '{"mode":"tree","read_new_pct":100,"revision":1}')

    with pytest.raises(UnknownMode, match="'tree'; this version knows dual, hash, legacy"):
        store.write(PRICE, {"BTC": Price(1, Decimal(1))})
    assert not redis.exists(PRICE.name)


def test_a_mode_writes_its_layouts_in_order() -> None:
    written = {name: [type(layout).__name__ for layout in ModeState(name).layouts] for name in Mode}

    assert written == {
        Mode.LEGACY: ["OldLayout"],
        Mode.DUAL: ["NewLayout", "OldLayout"],
        Mode.HASH: ["NewLayout"],
    }
