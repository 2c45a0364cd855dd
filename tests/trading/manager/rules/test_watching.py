"""Whether a look at a position finds something to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from trading.manager.protocols import OrderKind
from trading.manager.rules.paper import PaperTerms
from trading.manager.rules.watching import WatchedPosition, is_due
from trading.schema.common import Side

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
TERMS = PaperTerms(Decimal(2), Decimal("4.5"), Decimal("0.005"))
HOUR = timedelta(hours=1)


def held(**changed: Any) -> WatchedPosition:
    """Long from 100, stop 95, target 110, both at the exchange, opened ten minutes ago."""
    at_ms = int((NOW - timedelta(minutes=10)).timestamp() * 1000)
    values: dict[str, Any] = {
        "symbol": "BTC",
        "side": Side.LONG,
        "entry_price": Decimal(100),
        "leverage": Decimal(2),
        "funded_ms": at_ms,
        "stop": Decimal(95),
        "target": Decimal(110),
        "trailing_stop_pct": None,
        "resting": {OrderKind.STOP: Decimal(95), OrderKind.TARGET: Decimal(110)},
    }
    return WatchedPosition(**values | changed)


def due(position: WatchedPosition, price: str = "100", now: datetime = NOW) -> bool:
    return is_due(position, Decimal(price), TERMS, now, HOUR)


def test_between_its_stop_and_its_target_nothing_is_due() -> None:
    assert [due(held(), price) for price in ("95.01", "100", "109.99")] == [False] * 3


@pytest.mark.parametrize("price", ["95", "94", "110", "111"])
def test_at_its_stop_or_target_and_beyond_it_is(price: str) -> None:
    assert due(held(), price)


@pytest.mark.parametrize(("price", "is_it"), [("105", True), ("104.9", False), ("90", True), ("90.1", False)])
def test_a_short_position_has_its_stop_above_and_its_target_below(price: str, is_it: bool) -> None:
    plan = {OrderKind.STOP: Decimal(105), OrderKind.TARGET: Decimal(90)}
    short = held(side=Side.SHORT, stop=Decimal(105), target=Decimal(90), resting=plan)
    assert due(short, price) is is_it


def test_without_a_stop_the_price_of_its_liquidation_is_one() -> None:
    # 100 x (1 - 1/10) / (1 - 0.005) = 90.45
    bare = held(stop=None, target=None, resting={}, leverage=Decimal(10))
    assert (due(bare, "90.46"), due(bare, "90.45")) == (False, True)


@pytest.mark.parametrize(
    "resting",
    [
        {},
        {OrderKind.STOP: Decimal(95)},
        {OrderKind.STOP: Decimal(94), OrderKind.TARGET: Decimal(110)},
        {OrderKind.STOP: None, OrderKind.TARGET: Decimal(110)},
    ],
)
def test_an_order_of_the_plan_that_is_missing_or_elsewhere_is_due(resting: dict[OrderKind, Decimal | None]) -> None:
    assert due(held(resting=resting))


def test_an_order_that_the_plan_no_longer_has_is_due() -> None:
    assert due(held(stop=None))


def test_funding_is_due_on_the_hour_and_not_again() -> None:
    assert not due(held())
    assert due(held(), now=NOW + timedelta(minutes=30))
    paid = int((NOW + timedelta(minutes=30)).timestamp() * 1000)
    assert not due(held(funded_ms=paid), now=NOW + timedelta(minutes=31))


def test_a_trailing_stop_moves_in_steps_of_a_tenth_of_its_distance() -> None:
    trailing = held(trailing_stop_pct=Decimal(5))
    # 5 % behind 100.5 is 95.475; a tenth of the distance is 0.5025.
    assert (due(trailing, "100.5"), due(trailing, "100.6")) == (False, True)
