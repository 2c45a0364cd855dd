"""A trade that contradicts itself is marked with what does not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.trading_factories import make_trade
from trading.record.rules.contradictions import contradictions
from trading.schema.common import Side
from trading.schema.trade import Pnl, Quantity


def said(**parts: Any) -> list[str]:
    trade = make_trade(**parts)
    return list(contradictions(trade.side, trade.detail))


def test_a_trade_that_fits_is_not_marked() -> None:
    assert said() == []
    assert said(pnl=Pnl(gross=Decimal("5.004"), commission=Decimal("0.5"), net=Decimal("4.5"))) == []
    paid = Pnl(gross=Decimal("5.00"), commission=Decimal("0.50"), funding=Decimal("-10.00"), net=Decimal("-5.50"))
    assert said(pnl=paid) == []


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"quantity": Quantity(total=Decimal("0.02"))}, "the entry fills add up to 0.01, and the quantity is 0.02"),
        ({"side": Side.SHORT}, "the prices give a gross P&L of -4.995, and 5 was reported"),
        ({"net": "4.6"}, "gross P&L less commission, with funding, is 4.5, and a net P&L of 4.6 was reported"),
    ],
)
def test_what_does_not_fit_is_said(parts: dict[str, Any], words: str) -> None:
    assert words in said(**parts)
