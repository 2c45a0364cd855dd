"""Trades of one millisecond are found again by their content, without a look at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.trading_factories import OPENED_MS, make_trade
from trading.record.rules import alike
from trading.record.rules.alike import AlikeRecords
from trading.record.rules.identity import Likeness, likeness
from trading.schema.trade import Fill, FillType, Prices, Quantity, TradeRecord

MANY = 5_000
CLOSED_MS = OPENED_MS + 3_600_000


def closed(name: str, *, entry: Any = None, exit: Any = None, total: str = "0.01", at: str = "45000.50") -> TradeRecord:
    quantity, price = Decimal(total), Decimal(at)
    fills = tuple(
        Fill(type=end, price=price, quantity=quantity, ts_ms=ts_ms, **ids)
        for end, ids, ts_ms in ((FillType.ENTRY, entry, OPENED_MS), (FillType.EXIT, exit, CLOSED_MS))
        if ids is not None
    )
    parts: dict[str, Any] = {
        "quantity": Quantity(total=quantity),
        "prices": Prices(avg_entry=price, avg_exit=Decimal(45500)),
        "fills": fills,
    }
    return replace(make_trade(**parts), id=name)


def one_by_one(known: Sequence[TradeRecord], new: TradeRecord) -> Likeness:
    found = {likeness(one, new) for one in known}
    return next((wanted for wanted in (Likeness.SAME, Likeness.CONTRADICTION) if wanted in found), Likeness.OTHER)


def test_the_index_says_what_comparing_with_each_says() -> None:
    chance = Random(7)

    def ids() -> dict[str, Any] | None:
        kinds: tuple[dict[str, Any] | None, ...] = (
            {},
            {"fill_id": chance.randint(1, 6)},
            {"order_id": chance.randint(1, 4)},
            None,
        )
        return chance.choice([*kinds, {"fill_id": chance.randint(1, 6), "order_id": chance.randint(1, 4)}])

    def any_trade(name: int) -> TradeRecord:
        total = chance.choice(["0.01", "0.010000001", "0.0100001", "0.02"])
        return closed(str(name), entry=ids(), exit=ids(), total=total, at=chance.choice(["45000.5", "45000.51"]))

    for _round in range(60):
        known = [any_trade(number) for number in range(chance.randint(0, 12))]
        index = AlikeRecords(known)
        for number in range(20):
            new = any_trade(100 + number)
            assert index.like(new)[0] is one_by_one(known, new)


@pytest.mark.parametrize(
    "parts",
    [
        lambda number: {"entry": {"fill_id": number}, "exit": {"fill_id": 7}},
        lambda number: {"entry": {"order_id": 7}, "exit": {"fill_id": number}},
        lambda number: {"entry": {}, "exit": {}, "total": f"{1 + number}"},
        lambda number: {"exit": {"fill_id": number}},
    ],
    ids=["one exit for all", "one entry for all", "no ids at all", "exits only"],
)
def test_thousands_in_one_millisecond_are_compared_with_few_each(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(known: TradeRecord, new: TradeRecord) -> Likeness:
        nonlocal compared
        compared += 1
        return likeness(known, new)

    monkeypatch.setattr(alike, "likeness", counted)
    trades = [closed(str(number), **parts(number)) for number in range(MANY)]
    index = AlikeRecords()
    for trade in trades:
        assert index.like(trade)[0] is Likeness.OTHER
        index.add(trade)

    assert all(index.like(trade) == (Likeness.SAME, trade.id) for trade in trades)
    assert compared <= 3 * MANY


def test_a_trade_alone_in_its_millisecond_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly every trade is alone, and a load of many would take twice as long."""
    monkeypatch.setattr(alike, "ids_of", lambda trade: pytest.fail("the ids were read"))
    index = AlikeRecords()
    assert index.like(closed("1", entry={"fill_id": 1})) == (Likeness.OTHER, "")
    index.add(closed("1", entry={"fill_id": 1}))
