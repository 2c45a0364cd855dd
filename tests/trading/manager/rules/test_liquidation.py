"""The price of a liquidation, and what it costs: all of the margin and no more."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.manager.rules.liquidation import is_liquidated, liquidated_pnl, liquidation_price, margin_of
from trading.schema.common import Side

HALF_PERCENT = Decimal("0.005")
PRICES = st.decimals("0.01", "100000", places=4)
LEVERAGES = st.integers(1, 100).map(Decimal)


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "90.4523"), (Side.SHORT, "109.4527")])
def test_ten_times_from_100_with_half_a_percent(side: Side, price: str) -> None:
    found = liquidation_price(side, Decimal(100), Decimal(10), HALF_PERCENT)

    assert found is not None
    assert round(found, 4) == Decimal(price)


def test_a_long_position_without_leverage_is_never_liquidated() -> None:
    assert liquidation_price(Side.LONG, Decimal(100), Decimal(1), HALF_PERCENT) is None
    assert not is_liquidated(Side.LONG, Decimal("0.01"), None)


def test_a_short_position_without_leverage_is_liquidated_at_almost_twice_its_entry() -> None:
    found = liquidation_price(Side.SHORT, Decimal(100), Decimal(1), HALF_PERCENT)

    assert found is not None
    assert round(found, 4) == Decimal("199.0050")


@pytest.mark.parametrize(
    ("side", "mark", "reached"),
    [(Side.LONG, 90, True), (Side.LONG, 91, False), (Side.SHORT, 110, True), (Side.SHORT, 109, False)],
)
def test_the_mark_at_or_beyond_the_price_liquidates(side: Side, mark: int, reached: bool) -> None:
    price = Decimal(90) if side is Side.LONG else Decimal(110)

    assert is_liquidated(side, Decimal(mark), price) is reached


@pytest.mark.parametrize("side", Side)
def test_a_liquidation_costs_the_margin_the_entrys_commission_and_less_the_funding(side: Side) -> None:
    price = liquidation_price(side, Decimal(100), Decimal(10), HALF_PERCENT)
    assert price is not None

    pnl = liquidated_pnl(
        side,
        entry=Decimal(100),
        quantity=Decimal(3),
        leverage=Decimal(10),
        price=price,
        entry_commission=Decimal("0.135"),
        funding=Decimal("-0.5"),
    )

    assert pnl.net == -30 - Decimal("0.135") - Decimal("0.5")
    assert round(pnl.gross - pnl.commission + Decimal("-0.5"), 12) == pnl.net


@given(side=st.sampled_from(Side), entry=PRICES, leverage=LEVERAGES, rate=st.decimals(0, "0.05", places=4))
def test_what_is_left_of_the_margin_is_the_maintenance_margin(
    side: Side, entry: Decimal, leverage: Decimal, rate: Decimal
) -> None:
    price = liquidation_price(side, entry, leverage, rate)
    if price is None:
        assert side is Side.LONG
        assert leverage == 1
        return

    left = margin_of(entry, Decimal(1), leverage) + side.sign * (price - entry)

    assert abs(left - rate * price) < Decimal("1e-12") * max(entry, price)
