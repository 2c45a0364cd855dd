from __future__ import annotations

import sys
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.live_factories import make_analytics, make_last_decision, make_positions, make_price, make_recent
from trading.live import dictionaries
from trading.live.keys import (
    ANALYTICS,
    CONVERSATIONS,
    DECISION_LAST,
    KEYS,
    MARKET_ASSET,
    MARKET_CTX,
    POSITIONS,
    PRICE,
    TRADES_RECENT,
    Key,
)
from trading.live.redis import codec
from trading.schema.live_store.values import Conversation, MarketAsset, Price, Value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOMENT = 1_761_452_335_744_123


def make_said(*ids: str) -> list[Conversation]:
    return [Conversation(MOMENT, name) for name in ids]


# What has to be there, where 1 will not do.
VALID = {"as_of": MOMENT, "symbol": "BTC", "is_active": True, "success": True, "conversation": "7"}


def test_a_small_value_is_json_that_anybody_reads() -> None:
    assert codec.encode(make_price(as_of=MOMENT), 512) == (
        b'{"as_of":1761452335744123,"price":111317.50,"provider":"hyperliquid"}'
    )


def test_a_large_value_is_compressed_and_comes_back() -> None:
    recent = make_recent(100)

    raw = codec.encode(recent, TRADES_RECENT.compress_from)

    assert raw.startswith(b"Z")
    assert len(raw) < len(codec.encode(recent, None)) / 4
    assert codec.decode(raw, TRADES_RECENT) == recent


def test_a_reader_accepts_both_forms_whatever_it_would_write() -> None:
    analytics = make_analytics()

    assert codec.decode(codec.encode(analytics, 1), ANALYTICS) == analytics
    assert codec.decode(codec.encode(analytics, None), ANALYTICS) == analytics


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (make_analytics(), ANALYTICS),
        (make_positions("BTC", "ETH"), POSITIONS),
        (make_recent(3), TRADES_RECENT),
        (make_last_decision(id=17, cycle=3), DECISION_LAST),
    ],
)
def test_a_small_value_is_compressed_with_what_all_values_share(value: Value, key: Key) -> None:
    raw, plain = codec.encode(value, key.compress_from), codec.encode(value, None)

    assert raw.startswith(b"Z")
    assert len(raw) < 0.65 * len(plain)
    assert codec.decode(raw, key) == value


def test_a_value_that_compression_would_not_shorten_stays_plain() -> None:
    assert codec.encode(Price(MOMENT, Decimal(7)), 1) == b'{"as_of":1761452335744123,"price":7}'


def test_a_value_of_a_release_without_dictionaries_is_read() -> None:
    analytics = make_analytics(as_of=MOMENT)

    assert codec.decode(b"Z1761452335744123" + zstd.compress(codec.encode(analytics, None)), ANALYTICS) == analytics


def test_a_value_of_an_unknown_dictionary_is_no_value_and_still_says_its_moment() -> None:
    content = dictionaries.dictionary(1).dict_content
    later = zstd.ZstdDict(content[:4] + (200).to_bytes(4, "little") + content[8:])
    raw = b"Z1761452335744123" + zstd.compress(codec.encode(make_analytics(), None), zstd_dict=later)

    with pytest.raises(codec.NotAValue, match="compressed with dictionary 200, which this release does not have"):
        codec.decode(raw, ANALYTICS)
    assert codec.as_of(raw) == MOMENT


def test_a_dictionary_stays_as_stored_values_need_it() -> None:
    digests = {n: sha256(dictionaries.path(n).read_bytes()).hexdigest() for n in range(1, dictionaries.NEWEST + 1)}

    assert digests == {1: "effd3e9c9977cf001de15494958db8bc32f41d28cb552d02c03cfd47adea07c3"}


def test_items_of_a_list_after_the_first_repeat_neither_names_nor_the_moment() -> None:
    items = [Conversation(MOMENT, "43", 2, MOMENT // 1000 - 60_000), Conversation(MOMENT, "42", 3), *make_said("41")]

    first, *others = codec.encode_list(items, 64)

    assert codec.decode(first, CONVERSATIONS) == items[0]
    assert others == [b'["42",3]', b'["41"]']
    assert [codec.decode_item(raw, CONVERSATIONS, MOMENT) for raw in others] == items[1:]


def test_a_moment_of_an_item_is_kept_to_the_millisecond() -> None:
    items = [Conversation(MOMENT, str(n), 1, MOMENT // 1000 + shift) for n, shift in enumerate((0, -7, 123))]

    raw = codec.encode_list(items, 64)

    assert [codec.decode_item(one, CONVERSATIONS, MOMENT) for one in raw] == items


@pytest.mark.parametrize("raw", [b"[", b"[]", b"[7]", b'["42","many"]', b'["42",1,"x"]', b"\xff"])
def test_foreign_bytes_are_no_item(raw: bytes) -> None:
    with pytest.raises(codec.NotAValue):
        codec.decode_item(raw, CONVERSATIONS, MOMENT)


@pytest.mark.parametrize("compress_from", [1, None])
def test_the_age_is_read_without_decoding(compress_from: int | None) -> None:
    assert codec.as_of(codec.encode(make_price(as_of=MOMENT), compress_from)) == MOMENT


def test_every_value_declares_its_moment_first() -> None:
    assert {key.value.__struct_fields__[0] for key in KEYS} == {"as_of"}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=15, min_value=-(10**12), max_value=10**12))
def test_money_is_kept_digit_for_digit(price: Decimal) -> None:
    stored = codec.decode(codec.encode(Price(MOMENT, price), None), PRICE).price

    assert str(stored) == str(price)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity"])
def test_what_json_cannot_say_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="price must be a number of at most"):
        codec.encode(make_price(bad), None)


def test_a_text_may_say_nan() -> None:
    codec.encode(make_price(provider="NaN exchange"), None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"*",
        b"{}",
        b"[1]",
        b"nonsense",
        b"Z",
        b"Z1761452335744123",
        b"Z1761452335744123not a frame",
        b'{"as_of":1761452335744123}',
        b'{"as_of":1761452335,"price":1}',
        b'{"as_of":1761452335744123,"price":"dear"}',
        b"\xff\xfe",
        b'{"as_of":1761452335744123,"price":"NaN"}',
        b'{"as_of":1761452335744123,"price":"sNaN"}',
        b'{"as_of":1761452335744123,"price":"Infinity"}',
        b'{"as_of":1761452335744123,"price":1e999999}',
        b'{"as_of":1761452335744123,"price":1e99999999999999999999}',
        b'{"as_of":1761452335744123,"price":1,"provider":"\xff"}',
        b'{"as_of":1761452335744123,"mood":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(19),
)
def test_foreign_bytes_are_no_value(raw: bytes) -> None:
    with pytest.raises(codec.NotAValue):
        codec.decode(raw, PRICE)


@pytest.mark.parametrize("side", ["LONG", "buy", "", "7"])
def test_a_position_of_no_side_is_no_value(side: str) -> None:
    held = b'{"as_of":1761452335744123,"positions":{"BTC":{"side":"%s","quantity":1,"entry_price":2}}}'

    with pytest.raises(codec.NotAValue, match="side must be long or short"):
        codec.decode(held % side.encode(), POSITIONS)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_null_is_a_name_that_is_left_out(key: Key) -> None:
    fields = structs.fields(key.value)
    needed = {field.name: VALID.get(field.name, 1) for field in fields if field.required}
    nulls = {field.name: None for field in fields if not field.required}

    found = codec.decode(msgspec.json.encode(needed | nulls), key)

    assert found == codec.decode(msgspec.json.encode(needed), key)


def test_a_null_among_indicators_is_left_out() -> None:
    found = codec.decode(b'{"as_of":1761452335744123,"price":1.10,"ema":{"EMA20":null,"EMA50":2}}', MARKET_CTX)

    assert (str(found.price), found.ema) == ("1.10", {"EMA50": 2.0})


def test_a_small_frame_that_unpacks_to_too_much_is_refused() -> None:
    huge = b"Z1761452335744123" + codec.compressed(b" " * (codec.LARGEST + 1))

    with pytest.raises(codec.NotAValue):
        codec.decode(huge, PRICE)


def test_a_value_of_a_newer_release_is_read_without_what_is_new() -> None:
    assert codec.decode(b'{"as_of":1761452335744123,"price":1,"mood":"good"}', PRICE).price == 1


def test_an_asset_of_the_old_layout_is_read_in_place() -> None:
    old = b'{"symbol":"BTC","base":"BTC","quote":"USD","precision":5,"is_active":true,"updated_at":1761452335744}'

    found = codec.decode(old, MARKET_ASSET)

    assert found == MarketAsset(1_761_452_335_744_000, "BTC", True, "BTC", "USD", 5, updated_at=1_761_452_335_744)
