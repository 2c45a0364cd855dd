"""Ids are functions of the record alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.trading_factories import OPENED_MS, make_position
from trading.schema.ids import closed_position_id, imported_trade_id, open_position_id, trade_id
from trading.schema.position import Close, Orders


def test_an_engine_names_a_trade_by_its_close_to_the_nanosecond() -> None:
    assert trade_id("mei", "BTC", 1_704_678_300_000_000_123) == "mei|BTC|1704678300000000123"


def test_two_imported_trades_closed_by_one_fill_differ_by_their_entries() -> None:
    first, second = (imported_trade_id("qwen3-max", "ETH", 1_760_976_200_705, fill, {}) for fill in (11, 12))
    assert first == "qwen3-max|ETH|1760976200705000000|11"
    assert first != second


def test_an_imported_trade_without_a_fill_is_told_by_its_content_however_it_is_written() -> None:
    one, same, other = (
        imported_trade_id("a", "ETH", OPENED_MS, None, record)
        for record in ({"p": Decimal("1.50"), "q": 1}, {"q": 1, "p": Decimal("1.5")}, {"p": Decimal("1.51"), "q": 1})
    )
    assert one == same != other
    assert len(one.rsplit("|", 1)[1]) == 12


def test_a_closed_position_moves_to_an_id_with_its_close_and_its_entry_order() -> None:
    close = Close(price=Decimal(1), time_ms=OPENED_MS + 5, quantity=Decimal(1))
    detail = make_position(close=close, orders=Orders(entry_oid=7))
    assert open_position_id("a", "ETH") == "a|ETH"
    assert closed_position_id("a", "ETH", detail) == f"a|ETH|{OPENED_MS + 5}|7"
    without_order = closed_position_id("a", "ETH", make_position(close=close))
    assert without_order.startswith(f"a|ETH|{OPENED_MS + 5}|")
    with pytest.raises(ValueError, match="not closed"):
        closed_position_id("a", "ETH", make_position())
