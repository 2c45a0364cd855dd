"""Parts of a position at average cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from trading.record.rules.errors import InvalidRecord, RecordConflict
from trading.record.rules.parts import changed_by, known_event, planned_by, realized, whole_of
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.position import Entry, PositionDetail
from trading.schema.trade import FillType, Pnl

MS = 1_760_000_000_000


def held(quantity: Any = 3, price: Any = 100, commission: Any = None) -> PositionDetail:
    return PositionDetail(entry=Entry(price=price, quantity=quantity, time_ms=MS, commission=commission))


def event(kind: EventKind, quantity: Any, price: Any, minute: int = 1, **more: Any) -> PositionEvent:
    given = {"quantity": quantity, "price": price, "at_ms": MS + minute * 60_000} | more
    return PositionEvent(kind=kind, **{name: value for name, value in given.items() if value is not None})


def in_parts(side: Side = Side.LONG) -> PositionDetail:
    """Buy 3 at 100, sell 1 at 110, buy 2 at 120."""
    first = changed_by(held(), side, event(EventKind.REDUCE, 1, 110))
    return changed_by(first, side, event(EventKind.INCREASE, 2, 120, 2))


def test_each_entry_changes_the_average_and_each_exit_realizes_against_it() -> None:
    detail = in_parts()

    assert [one.avg_entry for one in detail.events] == [100, 100, 110]
    assert [one.remaining for one in detail.events] == [3, 2, 4]
    assert detail.realized is not None
    assert [detail.entry.quantity, detail.entry.price, detail.realized.gross] == [4, 110, 10]


def test_the_whole_is_one_trade_with_averages_over_all_parts() -> None:
    whole = whole_of(in_parts(), Side.LONG, price=Decimal(115), close_ms=MS + 180_000, pnl=None, fills=())

    assert [whole.quantity, whole.avg_entry, whole.avg_exit] == [5, 108, 114]
    assert [whole.pnl.gross, whole.pnl.net] == [30, 30]
    assert [fill.type for fill in whole.fills] == [FillType.ENTRY, FillType.EXIT, FillType.ENTRY, FillType.EXIT]


@pytest.mark.parametrize("gross", [20, 30])
def test_a_close_may_tell_the_profit_of_its_part_or_of_the_whole(gross: int) -> None:
    pnl = Pnl(gross=Decimal(gross), net=Decimal(gross))
    assert whole_of(in_parts(), Side.LONG, price=Decimal(115), close_ms=MS + 1, pnl=pnl, fills=()).pnl.gross == 30


def test_a_short_realizes_the_other_way() -> None:
    detail = changed_by(held(), Side.SHORT, event(EventKind.REDUCE, 1, 90))
    assert detail.realized is not None
    assert detail.realized.gross == 10
    assert whole_of(detail, Side.SHORT, price=Decimal(95), close_ms=MS + 1, pnl=None, fills=()).pnl.gross == 20


def test_realized_holds_every_commission_so_far_and_funding() -> None:
    detail = changed_by(
        held(commission=Decimal("0.3")),
        Side.LONG,
        event(EventKind.REDUCE, 1, 110, commission=Decimal("0.1"), funding=Decimal("-0.25")),
    )
    assert detail.realized is not None
    assert (detail.realized.commission, detail.realized.funding, detail.realized.net) == (
        Decimal("0.4"),
        Decimal("-0.25"),
        Decimal("9.35"),
    )
    whole = whole_of(detail, Side.LONG, price=Decimal(110), close_ms=MS + 1, pnl=None, fills=())
    assert whole.pnl == Pnl(
        gross=Decimal(30), commission=Decimal("0.4"), funding=Decimal("-0.25"), net=Decimal("29.35")
    )


def test_funding_that_a_long_pays_is_negative() -> None:
    """Long 2 BTC, mark 50,000, rate +0.01 %: -10.00, and net = gross - commission + funding."""
    payment = -1 * Decimal(2) * 50_000 * Decimal("0.0001")
    detail = changed_by(
        held(2, 50_000, commission=Decimal("4.50")),
        Side.LONG,
        event(EventKind.REDUCE, 1, 50_100, commission=Decimal("2.25"), funding=payment),
    )
    assert payment == Decimal("-10.00")
    assert detail.realized is not None
    assert (detail.realized.funding, detail.realized.net) == (Decimal("-10.00"), Decimal("83.25"))


def test_the_commission_of_an_entry_is_realized_at_once() -> None:
    """Buy 3 at 100 for a fee of 0.135: realized -0.135."""
    assert realized(held(commission=Decimal("0.135")).entry, ()).net == Decimal("-0.135")


def test_a_reduction_by_all_or_more_is_refused_with_what_is_held() -> None:
    for quantity in (3, 4):
        with pytest.raises(InvalidRecord, match="less than what is held, 3"):
            changed_by(held(), Side.LONG, event(EventKind.REDUCE, quantity, 110))


def test_a_moved_plan_stands_whole_in_its_event_and_in_the_position() -> None:
    moved = PositionEvent(kind=EventKind.PLAN, at_ms=MS + 1, sl_price=Decimal(95))
    detail = planned_by(held(), moved)

    assert detail.exit_plan is not None
    assert detail.exit_plan.sl_price == 95
    assert detail.exit_plan.tp_price is None
    assert [one.kind for one in detail.events] == [EventKind.OPEN, EventKind.PLAN]
    assert detail.entry == held().entry


def test_an_event_is_known_by_its_fill_else_by_moment_and_order() -> None:
    first = event(EventKind.REDUCE, 1, 110, fill_id=7, order_id=9)
    for same in ({"fill_id": "7", "minute": 5}, {"order_id": "9"}, {}):
        assert known_event([first], event(EventKind.REDUCE, 1, 110, **same), "p") == first
    for other in ({"fill_id": 8}, {"order_id": 8}, {"minute": 2}):
        assert known_event([first], event(EventKind.REDUCE, 1, 110, **other), "p") is None
    assert known_event([first], event(EventKind.INCREASE, 1, 110), "p") is None
    with pytest.raises(RecordConflict, match="reduce of the position"):
        known_event([first], event(EventKind.REDUCE, 2, 110, fill_id=7), "p")


def unfunded(detail: PositionDetail) -> PositionDetail:
    """With an hour whose funding was due and is not known."""
    due = PositionEvent(kind=EventKind.PLAN, at_ms=MS + 150_000, funding=Decimal(0), is_funding_unknown=True)
    return planned_by(detail, due)


def test_a_trade_says_that_funding_of_its_position_is_not_known() -> None:
    whole = whole_of(unfunded(held()), Side.LONG, price=Decimal(115), close_ms=MS + 180_000, pnl=None, fills=())
    assert whole.pnl.is_funding_unknown is True
    known = whole_of(in_parts(), Side.LONG, price=Decimal(115), close_ms=MS + 180_000, pnl=None, fills=())
    assert known.pnl.is_funding_unknown is None


def test_a_close_that_names_the_funding_of_the_whole_position_knows_it() -> None:
    detail = unfunded(in_parts())
    close_ms = MS + 180_000
    told = Pnl(gross=Decimal(30), funding=Decimal(-1), net=Decimal(29))
    assert whole_of(detail, Side.LONG, price=Decimal(115), close_ms=close_ms, pnl=told, fills=()).pnl == told
    of_its_part = Pnl(gross=Decimal(20), funding=Decimal(-1), net=Decimal(19))
    marked = whole_of(detail, Side.LONG, price=Decimal(115), close_ms=close_ms, pnl=of_its_part, fills=())
    assert marked.pnl.is_funding_unknown is True


def test_a_close_may_say_that_its_funding_is_not_known() -> None:
    pnl = Pnl(gross=Decimal(45), net=Decimal(45), is_funding_unknown=True)
    assert whole_of(held(), Side.LONG, price=Decimal(115), close_ms=MS + 1, pnl=pnl, fills=()).pnl == pnl
