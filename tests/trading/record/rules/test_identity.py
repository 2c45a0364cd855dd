"""When two trades that closed in one millisecond are one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.trading_factories import OPENED_MS, make_trade
from trading.record.rules.identity import Likeness, likeness
from trading.schema.common import Side
from trading.schema.trade import Fill, FillType, Pnl, Prices, Quantity, Time, TradeRecord

SAME, OTHER, CONTRADICTION = Likeness.SAME, Likeness.OTHER, Likeness.CONTRADICTION
CLOSED_MS = OPENED_MS + 3_600_000


def fill(end: FillType, **ids: Any) -> Fill:
    ts_ms = OPENED_MS if end is FillType.ENTRY else CLOSED_MS
    return Fill(type=end, price=Decimal(45000), quantity=Decimal("0.01"), ts_ms=ts_ms, **ids)


def came(
    entry: Any = None,
    exit: Any = None,
    own_id: Any = "one way",
    **parts: Any,
) -> TradeRecord:
    """A trade as a source tells it, under an id of its own."""
    ends = ((FillType.ENTRY, entry), (FillType.EXIT, exit))
    fills = tuple(fill(end, **ids) for end, ids in ends if ids is not None)
    return replace(make_trade(**({"fills": fills} | parts)), id=own_id)


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        ({"entry": {"fill_id": 1}}, {"entry": {"fill_id": "1"}}, SAME),
        ({"entry": {"fill_id": 1}}, {"entry": {"fill_id": 2}}, OTHER),
        ({"entry": {"fill_id": 1}, "exit": {"fill_id": 5}}, {"entry": {"fill_id": 1}, "exit": {"fill_id": 6}}, OTHER),
        ({"entry": {"fill_id": 1, "order_id": 9}}, {"entry": {"fill_id": 1, "order_id": 8}}, SAME),
        ({"entry": {"order_id": 9}}, {"entry": {"order_id": 8}}, OTHER),
        ({"entry": {"order_id": 9}}, {"entry": {"fill_id": 1}}, SAME),
        ({}, {"entry": {"fill_id": 1}}, SAME),
        ({}, {}, SAME),
    ],
)
def test_fills_and_orders_tell_them_apart_where_both_have_them(known: Any, new: Any, expected: Likeness) -> None:
    assert likeness(came(**known), came(**new)) is expected


def test_a_trade_of_the_same_fills_with_other_figures_contradicts() -> None:
    ids = {"entry": {"fill_id": 1}}
    for parts in (
        {"quantity": Quantity(total=Decimal("0.02"))},
        {"prices": Prices(avg_entry=Decimal("45000.50"), avg_exit=Decimal(45400))},
        {"net": "4.6"},
        {"side": Side.SHORT},
    ):
        assert likeness(came(**ids), came(**ids, **parts)) is CONTRADICTION


def test_without_ids_the_figures_tell() -> None:
    other_price = {"prices": Prices(avg_entry=Decimal("45000.50"), avg_exit=Decimal(45400))}
    later = {"time": Time(open_ts_ms=OPENED_MS + 5, close_ts_ms=CLOSED_MS, duration_seconds=Decimal("3599.995"))}
    assert likeness(came(), came(net="4.6")) is CONTRADICTION
    assert likeness(came(), came(**other_price)) is CONTRADICTION
    assert likeness(came(), came(own_id="another", **later)) is OTHER
    assert likeness(came(), came(own_id="another", side=Side.SHORT)) is OTHER
    assert likeness(came(entry={}), came(entry={}, own_id="another", **other_price)) is OTHER


def test_of_one_id_without_ids_of_fills_other_figures_contradict() -> None:
    assert likeness(came(), came(side=Side.SHORT)) is CONTRADICTION


def test_an_entry_one_second_off_with_the_same_order_is_the_same() -> None:
    def opened(offset_ms: int) -> TradeRecord:
        held = Decimal(3_600_000 - offset_ms) / 1000
        time = Time(open_ts_ms=OPENED_MS + offset_ms, close_ts_ms=CLOSED_MS, duration_seconds=held)
        return came(entry={"order_id": 9}, time=time)

    assert likeness(opened(0), opened(1000)) is SAME
    assert likeness(opened(0), opened(1001)) is CONTRADICTION


def test_amounts_agree_to_a_cent_or_a_millionth_of_what_was_traded() -> None:
    assert likeness(came(), came(net="4.509")) is SAME
    assert likeness(came(), came(net="4.511")) is CONTRADICTION
    large = {"quantity": Quantity(total=Decimal(100)), "pnl": Pnl(gross=Decimal(50000), net=Decimal(49000))}
    assert likeness(came(**large), came(**large | {"pnl": Pnl(gross=Decimal(50000), net=Decimal(49004))})) is SAME


def test_a_commission_that_one_source_does_not_name_contradicts_nothing() -> None:
    unnamed = {"pnl": Pnl(gross=Decimal(5), net=Decimal("4.5"))}
    assert likeness(came(), came(**unnamed)) is SAME
    assert likeness(came(), came(pnl=Pnl(gross=Decimal(5), commission=Decimal(1), net=Decimal("4.5")))) is CONTRADICTION
