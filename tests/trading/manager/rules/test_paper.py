"""How the paper exchange fills orders, stops and targets, and what it pays as funding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.settings.trader import OrderStyle
from trading.manager.rules.liquidation import liquidation_price
from trading.manager.rules.paper import (
    ExitCause,
    ExitPrice,
    PaperFill,
    PaperRefusal,
    PaperTerms,
    PriceGap,
    filled,
    funding_moments,
    funding_payment,
    is_stale,
    quantity_for,
    rounded_to_lot,
    trailed_stop,
    triggered,
)
from trading.schema.common import Side

TERMS = PaperTerms(slippage_bps=Decimal(2), commission_bps=Decimal("4.5"), maintenance_rate=Decimal("0.005"))
LONG, SHORT = Side.LONG, Side.SHORT
NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
PRICES = st.decimals("0.0001", "200000", places=4)


def order(**given: Any) -> PaperFill | PaperRefusal:
    asked: dict[str, Any] = {
        "buys": True,
        "style": OrderStyle.MARKET_IOC,
        "quantity": Decimal("0.5"),
        "price": Decimal(50_000),
        "slippage_bps": Decimal(50),
        "limit_price": None,
        "terms": TERMS,
    }
    return filled(**(asked | given))


def refusal(**given: Any) -> str:
    found = order(**given)
    assert isinstance(found, PaperRefusal)
    return str(found.message)


def gap(last: str, low: str | None = None, high: str | None = None) -> PriceGap:
    return PriceGap(Decimal(last), Decimal(low) if low else None, Decimal(high) if high else None)


def leaves(side: Side, seen: PriceGap, **at: str) -> tuple[str, str] | None:
    found = triggered(
        side, seen, **{name: Decimal(at[name]) if name in at else None for name in ("stop", "target", "liquidation")}
    )
    return (found.cause.value, f"{found.price:f}") if found else None


def test_a_market_order_fills_at_the_price_made_worse_by_the_slippage_for_the_commission_of() -> None:
    assert order() == PaperFill(Decimal(50_010), Decimal("0.5"), Decimal("11.25225"))
    assert order(buys=False) == PaperFill(Decimal(49_990), Decimal("0.5"), Decimal("11.24775"))


def test_nothing_fills_beyond_the_orders_own_slippage() -> None:
    assert refusal(slippage_bps=Decimal("1.9")) == "the slippage of 2 bps is more than the order's 1.9 bps"
    assert isinstance(order(slippage_bps=Decimal(2)), PaperFill)


@pytest.mark.parametrize(
    ("buys", "limit", "fills"),
    [(True, 50_010, True), (True, 50_009, False), (False, 49_990, True), (False, 49_991, False)],
)
def test_a_limit_order_fills_no_worse_than_the_price_that_the_decision_named(
    buys: bool, limit: int, fills: bool
) -> None:
    found = order(buys=buys, style=OrderStyle.LIMIT_IOC, limit_price=Decimal(limit))

    assert isinstance(found, PaperFill) is fills
    if not fills:
        assert "is worse than the limit of" in refusal(
            buys=buys, style=OrderStyle.LIMIT_IOC, limit_price=Decimal(limit)
        )


def test_a_better_market_gives_a_limit_order_the_markets_price() -> None:
    found = order(style=OrderStyle.LIMIT_IOC, limit_price=Decimal(60_000))

    assert isinstance(found, PaperFill)
    assert found.price == 50_010


def test_a_market_order_ignores_the_decisions_price() -> None:
    assert isinstance(order(limit_price=Decimal(1)), PaperFill)


def test_the_quantity_is_rounded_down_to_the_lot() -> None:
    found = order(quantity=Decimal("0.4999"), lot=Decimal("0.001"))

    assert isinstance(found, PaperFill)
    assert found.quantity == Decimal("0.499")
    assert quantity_for(Decimal(1000), Decimal(3), Decimal("0.1")) == Decimal("333.3")
    assert refusal(quantity=Decimal("0.0009"), lot=Decimal("0.001")) == "0.0009 is less than the lot of 0.001"


def test_without_a_price_nothing_fills() -> None:
    assert refusal(price=Decimal(0)) == "the price must be above 0, was 0"


@given(
    buys=st.booleans(),
    style=st.sampled_from(OrderStyle),
    quantity=st.decimals("0.00000001", 1000, places=8),
    price=PRICES,
    slippage_bps=st.decimals(0, 100, places=2),
    limit=PRICES | st.none(),
)
def test_an_order_fills_whole_within_its_limits_or_not_at_all(
    buys: bool, style: OrderStyle, quantity: Decimal, price: Decimal, slippage_bps: Decimal, limit: Decimal | None
) -> None:
    asked = {"buys": buys, "style": style, "quantity": quantity, "price": price}
    found = order(**asked, slippage_bps=slippage_bps, limit_price=limit)

    assert found == order(**asked, slippage_bps=slippage_bps, limit_price=limit)
    if isinstance(found, PaperFill):
        worse = (found.price - price) * (1 if buys else -1)
        assert 0 <= worse <= price * slippage_bps / 10_000
        assert found.quantity == rounded_to_lot(quantity)
        if style is OrderStyle.LIMIT_IOC and limit is not None:
            assert found.price <= limit if buys else found.price >= limit


@pytest.mark.parametrize(
    ("side", "seen", "exits"),
    [
        (LONG, gap("96"), None),
        (LONG, gap("95"), ("stop", "95")),
        (LONG, gap("93"), ("stop", "93")),
        (LONG, gap("97", low="94"), ("stop", "95")),
        (LONG, gap("110"), ("target", "110")),
        (LONG, gap("115"), ("target", "110")),
        (LONG, gap("100", low="94", high="112"), ("stop", "95")),
        (SHORT, gap("104"), None),
        (SHORT, gap("105"), ("stop", "105")),
        (SHORT, gap("108"), ("stop", "108")),
        (SHORT, gap("90"), ("target", "90")),
        (SHORT, gap("85"), ("target", "90")),
        (SHORT, gap("100", low="88", high="106"), ("stop", "105")),
    ],
)
def test_stops_fill_at_the_worse_price_targets_at_their_own_and_both_as_the_stop(
    side: Side, seen: PriceGap, exits: tuple[str, str] | None
) -> None:
    stop, target = ("95", "110") if side is LONG else ("105", "90")

    assert leaves(side, seen, stop=stop, target=target) == exits


def test_a_gap_through_the_liquidation_price_liquidates_also_where_a_stop_lies_before_it() -> None:
    assert leaves(LONG, gap("92"), stop="95", liquidation="90.4") == ("stop", "92")
    assert leaves(LONG, gap("85"), stop="95", liquidation="90.4") == ("liquidation", "90.4")
    assert leaves(LONG, gap("97", low="90"), stop="95", liquidation="90.4") == ("stop", "95")
    assert leaves(LONG, gap("97", low="90"), liquidation="90.4") == ("liquidation", "90.4")
    assert leaves(SHORT, gap("111"), target="90", liquidation="109.4") == ("liquidation", "109.4")


@given(
    side=st.sampled_from(Side),
    last=PRICES,
    low=PRICES,
    high=PRICES,
    leverage=st.integers(1, 50).map(Decimal),
    away=st.decimals("0.001", "0.5", places=3),
)
def test_no_exit_is_better_than_its_order_and_none_costs_more_than_the_margin(
    side: Side, last: Decimal, low: Decimal, high: Decimal, leverage: Decimal, away: Decimal
) -> None:
    entry = Decimal(100)
    stop, target = entry * (1 - side.sign * away), entry * (1 + side.sign * away)
    liquidation = liquidation_price(side, entry, leverage, TERMS.maintenance_rate)

    found = triggered(side, PriceGap(last, low, high), stop=stop, target=target, liquidation=liquidation)

    if found is None:
        return
    if found.cause is ExitCause.TARGET:
        assert found.price == target
    else:
        assert side.sign * (found.price - (stop if found.cause is ExitCause.STOP else entry)) <= 0
        assert side.sign * (found.price - entry) >= -entry / leverage


def test_a_trailing_stop_follows_the_price_and_never_goes_back() -> None:
    assert trailed_stop(LONG, Decimal(95), gap("110"), Decimal(5)) == Decimal("104.5")
    assert trailed_stop(LONG, Decimal("104.5"), gap("105"), Decimal(5)) == Decimal("104.5")
    assert trailed_stop(SHORT, Decimal(105), gap("90"), Decimal(5)) == Decimal("94.5")
    assert trailed_stop(SHORT, None, gap("95", low="90"), Decimal(5)) == Decimal("94.5")


def test_a_long_position_pays_a_positive_rate_and_a_short_one_receives_it() -> None:
    paid = funding_payment(LONG, Decimal(2), Decimal(50_000), Decimal("0.0001"), NOON)
    got = funding_payment(SHORT, Decimal(2), Decimal(50_000), Decimal("0.0001"), NOON)

    assert (paid.usd, got.usd) == (Decimal(-10), Decimal(10))


def test_without_a_rate_nothing_is_paid_and_that_is_marked() -> None:
    found = funding_payment(LONG, Decimal(2), Decimal(50_000), None, NOON)

    assert found.usd == 0
    assert not found.is_known


def test_funding_is_due_every_hour_or_every_eight() -> None:
    hourly = list(funding_moments(NOON, NOON + timedelta(hours=2)))
    every_eight = list(funding_moments(NOON, NOON + timedelta(hours=12), timedelta(hours=8)))

    assert hourly == [NOON + timedelta(hours=1), NOON + timedelta(hours=2)]
    assert every_eight == [NOON.replace(hour=16), NOON.replace(hour=0) + timedelta(days=1)]
    assert list(funding_moments(NOON, NOON)) == []


@given(cuts=st.lists(st.integers(0, 200_000), max_size=5).map(sorted), hours=st.sampled_from([1, 8]))
def test_looking_more_often_pays_no_funding_twice(cuts: list[int], hours: int) -> None:
    interval, end = timedelta(hours=hours), NOON + timedelta(seconds=200_000)
    looks = [NOON, *(NOON + timedelta(seconds=cut) for cut in cuts), end]

    in_parts = [moment for a, b in pairwise(looks) for moment in funding_moments(a, b, interval)]

    assert in_parts == list(funding_moments(NOON, end, interval))


def test_a_price_is_stale_once_it_is_older_than_allowed() -> None:
    assert not is_stale(NOON, NOON + timedelta(seconds=60), timedelta(seconds=60))
    assert is_stale(NOON, NOON + timedelta(seconds=61), timedelta(seconds=60))


def test_an_exit_names_its_cause() -> None:
    assert triggered(LONG, gap("1"), stop=Decimal(2), target=None) == ExitPrice(ExitCause.STOP, Decimal(1))
