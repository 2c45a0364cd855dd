"""Prices that are made up: the same for the same seed and moment, moving, and no jump between two looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.manager.markets.simulated import BASES, SimulatedMarket
from trading.manager.providers import InvalidProvider, ProviderOptions, make_market

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def price(market: SimulatedMarket, moment: datetime, symbol: str = "BTC") -> Decimal:
    return market.prices([symbol], moment)[symbol].price


@given(seed=st.integers(0, 1000), moment=MOMENTS)
def test_the_same_seed_and_moment_give_the_same_market(seed: int, moment: datetime) -> None:
    one, other = SimulatedMarket(seed), SimulatedMarket(seed)

    assert one.prices(list(BASES), moment) == other.prices(list(BASES), moment)
    assert one.context(list(BASES), moment) == other.context(list(BASES), moment)
    assert one.symbols(moment) == other.symbols(moment)
    assert price(one, moment) != price(SimulatedMarket(seed + 1), moment)


@given(moment=MOMENTS, seconds=st.integers(1, 60))
def test_prices_move_without_jumps(moment: datetime, seconds: int) -> None:
    before, after = (price(SimulatedMarket(), moment + timedelta(seconds=step)) for step in (0, seconds))

    assert abs(after / before - 1) < Decimal("0.01")


def test_prices_move_within_a_minute_and_trend_within_hours() -> None:
    market = SimulatedMarket()
    minutes = {price(market, NOON + timedelta(seconds=10 * step)) for step in range(6)}
    changes = [market.context(["BTC"], NOON + timedelta(hours=hour))["BTC"].change_1h or 0 for hour in range(48)]

    assert len(minutes) == 6
    assert max(changes) > Decimal("0.002")
    assert min(changes) < Decimal("-0.002")


def test_the_context_fits_the_prices() -> None:
    market = SimulatedMarket()
    found = market.context(["BTC", "NONE"], NOON)

    assert list(found) == ["BTC"]
    change = price(market, NOON) / price(market, NOON - timedelta(hours=1)) - 1
    told = found["BTC"].change_1h
    assert told is not None
    assert abs(told - change) < Decimal("1e-5")
    assert found["BTC"].open_interest
    assert found["BTC"].funding_rate


def test_symbols_come_with_the_highest_open_interest_first() -> None:
    market = SimulatedMarket()
    contexts, prices = market.context(list(BASES), NOON), market.prices(list(BASES), NOON)
    values = [(contexts[name].open_interest or 0) * prices[name].price for name in market.symbols(NOON)]

    assert values == sorted(values, reverse=True)


def test_symbols_seed_and_volatility_are_keys_of_the_file(tmp_path: Path) -> None:
    made = make_market(
        ProviderOptions("sim", {"type": "simulated", "symbols": "BTC 100, NEW", "volatility_pct": "0"}, tmp_path)
    )

    assert sorted(made.symbols(NOON)) == ["BTC", "NEW"]
    assert made.prices(["BTC"], NOON)["BTC"].price == 100


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seed", "one", "seed of the provider sim must be a whole number, was 'one'"),
        ("volatility_pct", "-1", "must be a number from 0 to 100, was '-1'"),
        ("symbols", "BTC x", "must be a list such as"),
        ("symbols", "BTC\t60000", "must be a list such as"),
        ("symbols", "B|C 60000", "must be a list such as"),
        ("symbols", "BTC NaN", "must be a list such as"),
        ("type", "moon", "the type of the provider sim must be one of replay, simulated, was 'moon'"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, key: str, value: str, words: str) -> None:
    with pytest.raises(InvalidProvider) as caught:
        make_market(ProviderOptions("sim", {"type": "simulated", key: value}, tmp_path))

    assert words in str(caught.value)
