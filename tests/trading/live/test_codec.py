from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live_factories import make_analytics, make_price, make_recent
from trading.live.keys import ANALYTICS, KEYS, MARKET_ASSET, PRICE, TRADES_RECENT
from trading.live.redis import codec
from trading.schema.live_store.values import MarketAsset, Price

MOMENT = 1_761_452_335_744_123


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
    with pytest.raises(ValueError, match="not finite"):
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
    ],
)
def test_foreign_bytes_are_no_value(raw: bytes) -> None:
    with pytest.raises(codec.NotAValue):
        codec.decode(raw, PRICE)


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
