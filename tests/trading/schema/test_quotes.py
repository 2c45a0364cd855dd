"""A price belongs to a provider and a symbol, and a position is marked by the nearest of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.live_factories import ago, make_price
from trading.schema.live_store.quotes import PriceBook, PriceName, Providers, read_field

PROVIDERS = ("hyperliquid", "hyperliquid_testnet", "binance")
TRADER = Providers("hyperliquid_testnet", "hyperliquid")


def price(value: int, **parts: Any) -> Any:
    return make_price(value, **{"provider": None, **parts})


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("BTC", (None, "BTC")),
        ("BTC/USDT:USDT", (None, "BTC/USDT:USDT")),
        ("binance:BTC/USDT:USDT", ("binance", "BTC/USDT:USDT")),
        ("hyperliquid_testnet:BTC", ("hyperliquid_testnet", "BTC")),
        ("hyperliquid:xyz:SP500", ("hyperliquid", "xyz:SP500")),
        ("binance:", (None, "binance:")),
    ],
)
def test_a_field_is_read_by_the_known_providers(field: str, name: tuple[str | None, str]) -> None:
    assert read_field(field, PROVIDERS) == PriceName(*name)
    assert PriceName(*name).field == field


def test_a_value_that_names_its_provider_makes_it_known() -> None:
    (one,) = PriceBook({"okx:SOL/USDT:USDT": price(1, provider="okx")}, ()).all
    assert (one.provider, one.symbol) == ("okx", "SOL/USDT:USDT")


def test_pairs_that_end_alike_are_two_prices() -> None:
    found = PriceBook({"BTC/USDT:USDT": price(100), "SOL/USDT:USDT": price(2)}, PROVIDERS).by_symbol()
    assert {symbol: one.price.price for symbol, one in found.items()} == {"BTC/USDT:USDT": 100, "SOL/USDT:USDT": 2}


def test_the_price_of_no_provider_is_public_and_else_the_newest() -> None:
    quotes = {"binance:BTC": price(1), "hyperliquid:BTC": price(2, as_of=ago(9)), "binance:ETH": price(3)}
    assert PriceBook(quotes, PROVIDERS).by_symbol()["BTC"].provider == "binance"
    assert PriceBook(quotes | {"BTC": price(4, as_of=ago(20))}, PROVIDERS).by_symbol()["BTC"].price.price == 4


@pytest.mark.parametrize(
    ("quotes", "value", "is_of_another"),
    [
        ({"hyperliquid_testnet:BTC": 1, "hyperliquid:BTC": 2, "BTC": 3, "binance:BTC": 4}, 1, False),
        ({"hyperliquid:BTC": 2, "BTC": 3, "binance:BTC": 4}, 2, False),
        ({"BTC": 3, "binance:BTC": 4}, 3, True),
        ({"binance:BTC": 4}, 4, True),
        ({"binance:ETH": 4}, None, False),
    ],
)
def test_a_position_is_marked_by_its_exchange_then_the_market_provider_then_another(
    quotes: dict[str, int], value: int | None, is_of_another: bool
) -> None:
    prices = PriceBook({field: price(number) for field, number in quotes.items()}, PROVIDERS)
    for exchange in ("unknown", None, "hyperliquid_testnet"):
        mark = prices.mark("BTC", exchange, TRADER)
        assert (mark and mark.price, bool(mark and mark.is_of_another)) == (value and Decimal(value), is_of_another)


def test_a_name_in_another_case_is_marked_within_its_provider_alone() -> None:
    prices = PriceBook({"hyperliquid:kPEPE": price(7), "kPEPE": price(8)}, PROVIDERS)
    assert prices.mark("KPEPE", "unknown", TRADER).price == 7  # type: ignore[union-attr]
    assert prices.mark("KPEPE", "binance", Providers("binance", "binance")) is None
