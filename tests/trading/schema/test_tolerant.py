"""What is stored is read as far as it is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.trading.bad_rows import decision_detail, mutated, position_detail, trade_detail
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part
from trading.schema.position import PositionDetail
from trading.schema.tolerant import UnreadableLeaf, read, read_most, with_unknown
from trading.schema.trade import TradeDetail


def test_unknown_keys_at_any_depth_are_set_aside_with_their_places() -> None:
    stored = trade_detail(build=1, risk={"leverage": 5, "model": {"name": "m"}})
    stored["fills"][1]["fee_asset"] = "USDC"
    found = read(TradeDetail, stored)

    assert found.detail == read(TradeDetail, trade_detail(risk={"leverage": 5})).detail
    assert {(leaf.path, str(leaf.value)) for leaf in found.unknown} == {
        ("detail.build", "1"),
        ("detail.risk.model", "{'name': 'm'}"),
        ("detail.fills[1].fee_asset", "USDC"),
    }


def test_an_item_with_an_unknown_word_is_set_aside_and_an_unknown_action_kept() -> None:
    fills = [*trade_detail()["fills"], {"type": "funding", "price": 1, "quantity": 1, "ts_ms": 1_795_918_000_000}]
    found = read(TradeDetail, trade_detail(fills=fills))
    assert (len(found.detail.fills), [leaf.path for leaf in found.unknown]) == (2, ["detail.fills[2]"])

    decided = read(DecisionDetail, {"decisions": [{"symbol": "BTC", "action": "partial_close"}]})
    action = decided.detail.decisions[0].action
    assert (str(action), action.is_known, action.opens, action.closes, action.side) == (
        *("partial_close", False, False, False),
        None,
    )
    assert decided.known == {"decisions": [{"symbol": "BTC", "action": "partial_close"}]}


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ([], "detail must be an object, is a list"),
        (None, "detail must be an object, is null"),
        (trade_detail(fills={}), "detail.fills must be a list, is an object"),
        (trade_detail(risk=[]), "detail.risk must be an object, is a list"),
        (trade_detail(risk={"leverage": "5"}), "detail.risk.leverage must be a number, is '5'"),
        (trade_detail(risk={"leverage": 0}), "detail.risk.leverage must be above 0, is 0"),
        ({**trade_detail(), "pnl": {"net": 1}}, "detail.pnl.gross is missing"),
        (trade_detail(quantity={"total": 10**400}), "detail.quantity.total must not be beyond"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(stored: Any, says: str) -> None:
    with pytest.raises(UnreadableLeaf, match=says.replace("[", r"\[")):
        read(TradeDetail, stored)


def test_null_is_not_stored() -> None:
    assert read(TradeDetail, trade_detail(fills=None, risk=None)).detail.fills == ()


def test_most_of_a_position_is_read_and_what_is_unknown_is_written_back() -> None:
    stored = position_detail(orders=[7], risk={"confidence": "80", "risk_usd": 5, "model": "m"}, margin_mode="cross")
    found = read_most(PositionDetail, stored)

    assert found.detail.orders is None
    assert not found.is_whole
    written = with_unknown(found.detail.stored(), found.unknown)
    assert (written["margin_mode"], written["risk"]) == ("cross", {"risk_usd": 5, "model": "m"})


@given(trade=mutated(trade_detail()), position=mutated(position_detail()), decision=mutated(decision_detail()))
def test_whatever_is_stored_is_read_or_refused_with_its_place(trade: Any, position: Any, decision: Any) -> None:
    for kind, stored in ((TradeDetail, trade), (PositionDetail, position), (DecisionDetail, decision)):
        place = _read_or_refused(kind, stored)
        assert place is None or place.startswith("detail")


def _read_or_refused(kind: type[Part], stored: Any) -> str | None:
    """The place for which it was refused; None where what was read is written and read again."""
    try:
        found = read(kind, stored).detail
    except UnreadableLeaf as refused:
        assert refused.reason  # noqa: PT017  (the place alone says too little)
        return refused.path
    read(kind, found.stored())
    return None
