"""A position is opened, changed, closed with its trade, and never lost when its symbol reopens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position
from trading.models import Position as PositionRow
from trading.models import Trade as TradeRow
from trading.record.rules.errors import (
    AlreadyOpen,
    ConcurrentRecord,
    InvalidRecord,
    NoOpenPosition,
    RecordConflict,
    RecordError,
    UnknownTrader,
)
from trading.record.writing import decisions, positions
from trading.record.writing.positions import close_position, open_position, update_position
from trading.schema.common import ExitPlan, Side
from trading.schema.position import Orders, Reported
from trading.schema.trade import Pnl

pytestmark = pytest.mark.django_db
CLOSED_NS = (OPENED_MS + HOUR_MS) * 1_000_000 + 123
PNL = Pnl(gross=Decimal("5.00"), commission=Decimal("0.50"), net=Decimal("4.5000000000000000001"))


@pytest.fixture(autouse=True)
def _fleet(request: pytest.FixtureRequest) -> None:
    sync_traders(make_trader())


def opened(**options: Any) -> Any:
    return open_position(
        **{"trader_id": "steady_long", "symbol": "BTC", "side": Side.LONG, "detail": make_position(), **options}
    )


def closed(**options: Any) -> Any:
    given = {"trader_id": "steady_long", "symbol": "BTC", "price": Decimal("45500.00"), "closed_at_ns": CLOSED_NS}
    return close_position(**{**given, "pnl": PNL, **options})


def test_an_opened_position_comes_back_digit_for_digit() -> None:
    opened()
    row = PositionRow.objects.get()
    assert (row.id, row.status, str(row.quantity)) == ("steady_long|BTC", "open", "0.010")
    assert row.detail["entry"]["price"] == Decimal("45000.50")
    [held] = positions.open_whole("steady_long")
    assert (held.symbol, held.side, held.detail.entry.leverage) == ("BTC", Side.LONG, Decimal(10))


def test_the_same_entry_again_changes_nothing_and_another_is_refused() -> None:
    assert opened() == opened()
    with pytest.raises(AlreadyOpen, match="steady_long holds an open position in BTC"):
        opened(side=Side.SHORT)
    assert PositionRow.objects.count() == 1


def test_a_position_of_nobody_is_refused() -> None:
    with pytest.raises(UnknownTrader, match="there is no trader 'nobody'"):
        opened(trader_id="nobody")


def test_a_close_makes_the_trade_with_the_positions_facts() -> None:
    opened(detail=make_position(exit_plan=ExitPlan(tp_price=Decimal(46000))))
    trade = closed()
    row = TradeRow.objects.get()
    assert row.id == trade.id == f"steady_long|BTC|{CLOSED_NS}"
    assert (row.side, row.close_ts_ms, str(row.net_pnl)) == ("long", OPENED_MS + HOUR_MS, "4.5000000000000000001")
    assert row.detail["time"]["duration_seconds"] == 3600
    assert row.detail["exit_plan"]["tp_price"] == 46000
    position = PositionRow.objects.get()
    assert (position.status, position.detail["close"]["pnl"]) == ("closed", PNL.net)
    assert positions.open_whole("steady_long") == []


def test_the_same_close_again_returns_its_trade_and_another_result_is_refused() -> None:
    opened()
    assert closed() == closed()
    with pytest.raises(RecordConflict, match="other content"):
        closed(pnl=Pnl(gross=Decimal(1), net=Decimal(1)))
    with pytest.raises(NoOpenPosition):
        closed(closed_at_ns=CLOSED_NS + 10**6)
    assert closed(closed_at_ns=CLOSED_NS + 1) == closed()
    assert TradeRow.objects.count() == 1


def test_a_close_whose_trade_is_refused_leaves_the_position_open() -> None:
    opened()
    with pytest.raises(InvalidRecord, match="closed_at_ns must not be before the entry"):
        closed(closed_at_ns=(OPENED_MS - 1) * 1_000_000)
    assert PositionRow.objects.get().status == "open"
    assert TradeRow.objects.count() == 0


def test_a_reopened_symbol_never_overwrites_what_was_closed() -> None:
    for n in range(3):
        moment = OPENED_MS + 2 * n * HOUR_MS
        opened(detail=make_position(opened_ms=moment, orders=Orders(entry_oid=100 + n)))
        closed(closed_at_ns=(moment + HOUR_MS) * 1_000_000)
    opened(detail=make_position(opened_ms=OPENED_MS + 9 * HOUR_MS))
    found = set(PositionRow.objects.values_list("id", "status"))
    assert found == {
        ("steady_long|BTC", "open"),
        *((f"steady_long|BTC|{OPENED_MS + (2 * n + 1) * HOUR_MS}|{100 + n}", "closed") for n in range(3)),
    }
    assert TradeRow.objects.count() == 3


def test_an_update_replaces_the_parts_it_names_and_writes_nothing_when_nothing_differs() -> None:
    opened(detail=make_position(orders=Orders(entry_oid=1)))
    first = update_position(trader_id="steady_long", symbol="BTC", reported=Reported(current_price=Decimal("45100.10")))
    written = PositionRow.objects.get().updated_at
    again = update_position(trader_id="steady_long", symbol="BTC", reported=Reported(current_price=Decimal("45100.10")))
    row = PositionRow.objects.get()
    assert first == again
    assert row.updated_at == written
    assert (row.detail["orders"], row.detail["reported"]) == ({"entry_oid": 1}, {"current_price": Decimal("45100.10")})
    with pytest.raises(NoOpenPosition, match="no open position in ETH"):
        update_position(trader_id="steady_long", symbol="ETH", orders=Orders())


def test_the_journals_version_counts_before_the_clock() -> None:
    save_edit("steady_long", detail__risk__max_positions=4)
    decision = decisions.record_decision(make_entry(config_version=2))
    found = opened(decision_id=decision.id)
    trade = closed(decision_id=decision.id)
    assert found.detail.versions.entry == 2
    assert (trade.detail.versions.entry, trade.detail.versions.exit) == (2, 2)
    with pytest.raises(RecordError, match="steady_long has no decision 999999"):
        opened(symbol="ETH", decision_id=999_999)


def test_what_was_opened_before_the_first_version_belongs_to_none() -> None:
    assert opened().detail.versions.entry is None
    assert PositionRow.objects.get().entry_version is None


@pytest.mark.django_db(transaction=True)
def test_of_two_that_open_at_once_one_is_recorded_and_the_other_is_told() -> None:
    results = at_once(lambda: opened(side=Side.LONG), lambda: opened(side=Side.SHORT))
    assert sum(isinstance(result, AlreadyOpen | ConcurrentRecord) for result in results) == 1
    assert PositionRow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_that_close_at_once_one_makes_the_trade() -> None:
    opened()
    results = at_once(*(lambda n=n: closed(closed_at_ns=CLOSED_NS + n * 10**6) for n in range(6)))
    assert sum(isinstance(result, NoOpenPosition) for result in results) == 5
    assert TradeRow.objects.count() == 1
