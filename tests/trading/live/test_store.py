from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django_redis import get_redis_connection
from redis.connection import AbstractConnection

from tests.live_factories import (
    ago,
    make_analytics,
    make_conversations,
    make_positions,
    make_price,
    make_recent,
    now_us,
)
from trading.live.keys import ANALYTICS, CONTROL, KEYS, POSITIONS, PRICE, TRADES_RECENT
from trading.live.redis import hashes, store
from trading.live.redis.reads import counts
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.answers import CorruptValue, FreshValue, MissingValue, StaleValue
from trading.schema.live_store.values import Leader


def test_what_is_written_is_read() -> None:
    held, price = make_positions("BTC", "ETH"), make_price()

    assert store.write(POSITIONS, {"ann": held})
    assert store.write(PRICE, {"BTC": price, "hyperliquid:BTC": price})

    answer = store.read_one(POSITIONS, "ann")
    assert isinstance(answer, FreshValue)
    assert answer.value == held
    assert 0 <= answer.age_seconds < 5
    assert set(store.read_all(PRICE) or {}) == {"BTC", "hyperliquid:BTC"}


def test_a_write_touches_its_own_field_only() -> None:
    store.write(TRADES_RECENT, {"ann": make_recent(2), "bob": make_recent(100)})
    before = get_redis_connection("default").hget(TRADES_RECENT.name, "bob")

    store.write(TRADES_RECENT, {"ann": make_recent(3)})

    assert get_redis_connection("default").hget(TRADES_RECENT.name, "bob") == before


def test_an_older_value_never_replaces_a_newer_one() -> None:
    newer = make_analytics("2")
    store.write(ANALYTICS, {"ann": newer})

    assert store.write(ANALYTICS, {"ann": make_analytics("1", as_of=ago(1))})

    answer = store.read_one(ANALYTICS, "ann")
    assert isinstance(answer, FreshValue)
    assert answer.value == newer


def test_the_newest_of_many_writers_stays() -> None:
    start = now_us()

    def write(n: int) -> None:
        store.write(PRICE, {"BTC": make_price(n, as_of=start + n)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [n * 37 % 200 for n in range(200)]))

    answer = store.read_one(PRICE, "BTC")
    assert isinstance(answer, FreshValue)
    assert answer.value.price == 199


def test_an_old_value_is_called_stale_and_says_its_age() -> None:
    store.write(PRICE, {"BTC": make_price(as_of=ago(45))})

    answer = store.read_one(PRICE, "BTC")

    assert isinstance(answer, StaleValue)
    assert 45 <= answer.age_seconds < 60


def test_many_traders_are_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(POSITIONS, {f"t{n}": make_positions() for n in range(50)})
    # What is counted is added every ten seconds; not now.
    counts.flush()
    # Of this process: others may use the same server.
    sent: list[Any] = []
    send: Any = AbstractConnection.send_packed_command

    def noted(self: Any, command: Any, **how: Any) -> None:
        sent.append(command)
        send(self, command, **how)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)

    found = store.read(POSITIONS, [f"t{n}" for n in range(60)])

    assert [isinstance(found[f"t{n}"], FreshValue) for n in range(60)] == [True] * 50 + [False] * 10
    assert found["t59"] == MissingValue()
    # One HMGET, and at most two of the follower.
    assert 1 <= len(sent) <= 3


@pytest.mark.parametrize("raw", [b"*", b"\xff", b"[]", b'{"as_of":5}', b"Z123"])
def test_a_spoilt_field_is_reported_and_skipped(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store.write(POSITIONS, {"ann": make_positions()})
    field = f"spoilt {raw!r}"
    get_redis_connection("default").hset(POSITIONS.name, field, raw)

    found = store.read_all(POSITIONS) or {}
    store.read_all(POSITIONS)

    assert isinstance(found["ann"], FreshValue)
    assert isinstance(found[field], CorruptValue)
    assert [record.getMessage() for record in caplog.records if field in record.getMessage()] != []


def test_a_spoilt_field_is_replaced_by_the_next_write() -> None:
    get_redis_connection("default").hset(POSITIONS.name, "ann", b"*")

    store.write(POSITIONS, {"ann": make_positions()})

    assert isinstance(store.read_one(POSITIONS, "ann"), FreshValue)


def test_a_key_of_a_foreign_type_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    get_redis_connection("default").set(POSITIONS.name, "mine")

    assert store.read_one(POSITIONS, "ann") == MissingValue(unavailable=True)
    assert not store.write(POSITIONS, {"ann": make_positions()})
    assert "WRONGTYPE" in caplog.text


def test_no_key_ever_expires() -> None:
    writes = StoreWrites(leaders={"ann": Leader(now_us(), 1.5)}, conversations={"ann": make_conversations()})
    writes.add(POSITIONS, {"ann": make_positions()})
    writes.add(PRICE, {"BTC": make_price()})

    assert store.write_all(writes)

    connection = get_redis_connection("default")
    assert {connection.ttl(name) for name in connection.keys("*nof0:*")} == {-1}


def test_the_leaderboard_is_sorted_and_leaves_out_who_has_no_score() -> None:
    now = now_us()
    store.write_all(
        StoreWrites(
            leaders={"ann": Leader(now, 1.5), "bob": Leader(now, -2.0), "cy": Leader(now, 9.25), "dee": Leader(now)}
        )
    )
    store.write_all(StoreWrites(leaders={"bob": Leader(now - 1, 99.0), "cy": Leader(now + 1)}))

    board = store.read_leaderboard() or {}

    assert [(name, answer.value.return_pct) for name, answer in board.items() if isinstance(answer, FreshValue)] == [
        ("ann", 1.5),
        ("bob", -2.0),
    ]


def test_conversations_are_a_capped_list_newest_first() -> None:
    store.write_all(StoreWrites(conversations={"ann": make_conversations(*range(30, 0, -1))}))

    answer = store.read_conversations(["ann", "bob"])

    assert answer["bob"] == MissingValue()
    assert isinstance(answer["ann"], FreshValue)
    assert [item.conversation for item in answer["ann"].value] == [str(n) for n in range(30, 10, -1)]
    assert get_redis_connection("default").type("nof0:conversations:ann") == b"list"


def test_an_older_list_never_replaces_a_newer_one() -> None:
    store.write_all(StoreWrites(conversations={"ann": make_conversations(2)}))
    store.write_all(StoreWrites(conversations={"ann": make_conversations(1, as_of=ago(5))}))

    answer = store.read_conversations(["ann"])["ann"]

    assert isinstance(answer, FreshValue)
    assert answer.value[0].conversation == "2"


def test_clearing_the_cache_leaves_the_live_store_alone() -> None:
    cache.set("page", "cached")
    store.write(POSITIONS, {"ann": make_positions()})

    cache.clear()

    assert cache.get("page") is None
    assert isinstance(store.read_one(POSITIONS, "ann"), FreshValue)


def test_reads_are_counted_by_how_they_end() -> None:
    counts.flush()
    get_redis_connection("default").delete(CONTROL)
    store.write(PRICE, {"BTC": make_price(), "ETH": make_price(as_of=ago(60))})

    store.read(PRICE, ["BTC", "ETH", "SOL", "XRP"])
    counts.flush()

    stored: dict[Any, Any] = get_redis_connection("default").hgetall(CONTROL)
    counted = {field.decode(): count for field, count in stored.items()}
    assert {field: int(count) for field, count in counted.items() if field.startswith("reads:nof0:price")} == {
        "reads:nof0:price:latest:fresh": 1,
        "reads:nof0:price:latest:stale": 1,
        "reads:nof0:price:latest:missing": 2,
    }


def test_no_two_keys_of_one_script_lie_in_different_slots() -> None:
    from redis.crc import key_slot

    from trading.live.keys import beside
    from trading.live.redis import board, lists

    groups = [board.NAMES, lists.names("ann"), *((key.name, beside(key.name, "next:1")) for key in KEYS[:1])]
    assert [len({key_slot(name.encode()) for name in group}) for group in groups] == [1] * len(groups)


def test_a_price_is_exact() -> None:
    store.write(PRICE, {"BTC": make_price("100000.123456789012345")})

    answer = store.read_one(PRICE, "BTC")

    assert isinstance(answer, FreshValue)
    assert answer.value.price == Decimal("100000.123456789012345")


def test_a_hash_is_read_whole_whatever_bytes_other_programs_left_in_it() -> None:
    redis = get_redis_connection("default")
    stored: dict[Any, Any] = {
        b"": b"",
        b"1 2": b"3 4",
        "zürich".encode(): b"Z\x00\xff\n",
        b"\xff": b"x" * 3000,
        b"last": b"",
    }
    redis.hset("odd", mapping=stored)

    found = hashes.get_all(redis, "odd")

    assert found == {field.decode(errors="replace"): raw for field, raw in stored.items()}
    assert hashes.get_all(redis, "no such hash") == {}
