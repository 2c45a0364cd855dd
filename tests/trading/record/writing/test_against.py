"""Entries under a ban are recorded and marked; the version in force is the pinned one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import Engine
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet
from tests.trading_factories import make_position, make_trade
from traders.models import TraderControl
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.versions import services as configs
from traders.versions.lifecycle import services as lifecycle
from trading.record.stored import rows, versions
from trading.record.stored.copying import bulk_load
from trading.record.writing import positions, services
from trading.record.writing.bulk_positions import copy_positions
from trading.record.writing.bulk_trades import copy_trades
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus, Reported
from trading.schema.trade import Fill, FillType, TradeDetail

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader())


def ms(moment: datetime, seconds: float = 0) -> int:
    return int((moment + timedelta(seconds=seconds)).timestamp() * 1000) + 1


def opened(at_ms: int, symbol: str = "BTC") -> PositionRecord:
    return services.position(trader_id=TRADER, symbol=symbol, side=Side.LONG, detail=make_position(opened_ms=at_ms))


def mark(position: PositionRecord) -> Any:
    return position.detail.against_control


def newest() -> datetime:
    return TraderControl.objects.latest("id").at


@pytest.mark.parametrize("kind", ["stop", "drain", "pause"])
def test_an_opening_after_a_ban_is_taken_and_marked(kind: str) -> None:
    (asked,) = ask(kind)
    found = mark(opened(ms(newest(), 61)))
    assert found.control_id == asked.control.id
    assert "mei: because" in found.reason


def test_a_minute_of_grace_is_given_for_orders_on_their_way() -> None:
    ask("stop")
    assert mark(opened(ms(newest(), 59))) is None


def test_an_opening_before_the_ban_and_one_after_it_ended_are_not_marked() -> None:
    ask("pause")
    began = newest()
    assert mark(opened(ms(began, -5))) is None
    ask("resume")
    assert mark(opened(ms(newest(), 61), "ETH")) is None


def test_a_ban_that_was_interrupted_within_the_minute_gives_the_grace_again() -> None:
    ask("stop")
    ask("start")
    ask("stop")
    assert mark(opened(ms(newest(), 30))) is None
    assert mark(opened(ms(newest(), 61), "ETH")) is not None


def test_a_fleet_stop_and_a_retirement_are_bans_too() -> None:
    (stop,) = ask_fleet("stop")
    assert mark(opened(ms(newest(), 61))).control_id == stop.control.id
    ask_fleet("release")
    lifecycle.set_retired(trader_ids=[TRADER], retired=True, seen={TRADER: 1}, reason="lost", actor="mei")
    retired_at = configs.existing(TRADER).changed_at
    found = mark(opened(ms(max(retired_at, newest()), 61), "ETH"))
    assert (found.control_id, found.reason) == (None, "the trader is retired")


def test_a_trader_that_nobody_started_is_marked_for_nothing() -> None:
    assert mark(opened(ms(configs.existing(TRADER).changed_at, 100))) is None


def test_a_marked_opening_sent_again_changes_nothing_and_its_close_keeps_the_mark() -> None:
    ask("stop")
    at_ms = ms(newest(), 61)
    assert opened(at_ms) == opened(at_ms)
    again = positions.open_position(
        trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=at_ms)
    )
    assert mark(again) is not None
    services.close(trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=(at_ms + 1000) * 1_000_000)
    (closed,) = rows.positions(rows.POSITIONS.filter(trader=TRADER))
    assert mark(closed) is not None


def test_an_imported_opening_is_marked_as_well() -> None:
    before = opened(ms(configs.existing(TRADER).changed_at), "ETH")
    ask("stop")
    late = make_position(opened_ms=ms(newest(), 61))
    record = PositionRecord(f"{TRADER}|BTC", TRADER, "BTC", Side.LONG, PositionStatus.OPEN, late)
    for _ in range(2):
        with bulk_load(name="positions"):
            outcome = copy_positions([record])
    assert (outcome.known, outcome.conflicts) == (1, [])
    marks = {one.symbol: mark(one) is not None for one in positions.open_whole(TRADER)}
    assert marks == {"BTC": True, "ETH": mark(before) is not None}


def test_an_increase_under_a_ban_marks_the_position_and_a_reduction_does_not() -> None:
    position = opened(ms(configs.existing(TRADER).changed_at))
    ask("pause")

    def event(kind: EventKind, seconds: float) -> PositionRecord:
        told = PositionEvent(
            kind=kind,
            at_ms=ms(newest(), seconds),
            quantity=Decimal("0.001"),
            price=Decimal(45000),
            order_id=int(seconds),
        )
        return services.event(trader_id=TRADER, symbol="BTC", event=told)

    assert mark(position) is None
    assert mark(event(EventKind.REDUCE, 70)) is None
    assert mark(event(EventKind.INCREASE, 80)) is not None


def test_an_entry_that_is_sent_again_with_more_is_an_increase() -> None:
    began = ms(configs.existing(TRADER).changed_at)
    position = opened(began)
    ask("pause")
    entry = position.detail.entry

    def sent_again(quantity: Decimal, seconds: float) -> PositionRecord:
        detail = PositionDetail(
            entry=entry.model_copy(update={"quantity": quantity}), reported=Reported(at_ms=ms(newest(), seconds))
        )
        return services.position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=detail)

    assert mark(sent_again(entry.quantity / 2, 70)) is None, "less is held"
    assert mark(sent_again(entry.quantity, 30)) is None, "within the minute"
    assert mark(sent_again(entry.quantity * 2, 80)).at_ms == ms(newest(), 80)


def test_an_engine_cannot_send_the_mark() -> None:
    assert "against_control" in PositionDetail.model_fields
    ask("stop")
    sent = make_position(opened_ms=ms(newest(), 61))
    services.position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=sent)
    changed = services.position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=sent)
    assert mark(changed) is not None


def test_what_a_pinned_trader_opens_belongs_to_the_pinned_version() -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    before = ms(configs.existing(TRADER).changed_at)
    ask("pin", version=1)
    pinned = ms(newest())
    ask("unpin")
    unpinned = ms(newest(), 1)
    save_edit(TRADER, detail__retired=True)
    timeline = versions.timelines([TRADER])[TRADER]
    retired = ms(configs.existing(TRADER).changed_at)

    assert versions.version_at(TRADER, before - 60_000) is None
    assert timeline.version_at_us((pinned - 1) * 1000) in (1, 2)
    pin_us, unpin_us = (int(row.at.timestamp() * 1_000_000) for row in TraderControl.objects.order_by("id"))
    assert [timeline.version_at_us(us) for us in (pin_us - 5, pin_us + 5, unpin_us + 5)] == [2, 1, 2]
    assert versions.version_at(TRADER, unpinned + 60_000) == timeline.version_at(unpinned + 60_000) == 3
    ask("pin", version=2)
    later = ms(newest(), 1)
    assert versions.version_at(TRADER, later) == versions.timelines([TRADER])[TRADER].version_at(later) == 2
    assert versions.timelines([TRADER])[TRADER].is_retired_at(later), "a pin ends no retirement"
    assert retired < later


class TestTrades:
    """A trade whose position was not recorded here, and imports."""

    def detail(self, open_ms: int, *more_entries_ms: int) -> TradeDetail:
        fills = tuple(
            Fill(type=FillType.ENTRY, order_id=number, price=Decimal(45000), quantity=Decimal("0.01"), ts_ms=ms)
            for number, ms in enumerate(more_entries_ms, 1)
        )
        whole = make_trade(TRADER, open_ms=open_ms, close_ms=max((open_ms, *more_entries_ms)) + 1000).detail
        return whole.model_copy(update={"fills": fills})

    def put(self, detail: TradeDetail) -> Any:
        closed_ns = detail.time.close_ts_ms * 1_000_000
        told = services.trade(trader_id=TRADER, symbol="BTC", side=Side.LONG, closed_at_ns=closed_ns, detail=detail)
        return told.detail.against_control

    def test_a_trade_whose_entry_began_under_a_ban_is_taken_and_marked(self) -> None:
        before = ms(configs.existing(TRADER).changed_at)
        assert self.put(self.detail(before)) is None
        (asked,) = ask("pause")
        detail = self.detail(ms(newest(), 61))
        assert self.put(detail).control_id == asked.control.id
        assert self.put(detail) is not None, "the same again is no conflict"
        assert self.put(self.detail(ms(newest(), 30))) is None, "within the minute"

    def test_one_that_was_added_to_under_a_ban_is_marked_at_that_moment(self) -> None:
        before = ms(configs.existing(TRADER).changed_at)
        ask("pause")
        added = ms(newest(), 80)
        assert self.put(self.detail(before, before, added)).at_ms == added

    def test_the_trade_of_a_marked_position_carries_the_mark(self) -> None:
        ask("pause")
        at_ms = ms(newest(), 61)
        opened(at_ms)
        made = services.close(
            trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=(at_ms + 1000) * 1_000_000
        )
        assert made.detail.against_control is not None

    @pytest.mark.parametrize("ban", ["pause", "retired"])
    def test_imported_trades_are_marked_and_known_again(self, ban: str) -> None:
        before = ms(configs.existing(TRADER).changed_at)
        if ban == "retired":
            save_edit(TRADER, detail__retired=True)
            began = configs.existing(TRADER).changed_at
        else:
            ask("pause")
            began = newest()
        records = [
            make_trade(TRADER, open_ms=open_ms, close_ms=open_ms + 1000)
            for open_ms in (before, ms(began, 30), ms(began, 61))
        ]
        for known in (0, 3):
            with bulk_load(name="trades"):
                outcome = copy_trades(records)
            assert (outcome.known, outcome.conflicts) == (known, [])
        found = rows.trades(rows.TRADES.filter(trader=TRADER).order_by("close_ts_ms"))
        assert [one.detail.against_control is not None for one in found] == [False, False, True]


@pytest.mark.parametrize("path", ["positions", "trades"])
def test_the_api_refuses_a_mark_of_an_engine(path: str) -> None:
    _token, text = tokens.create(name="engine", scopes=[Scope.WRITE_STATE, Scope.WRITE_JOURNAL], actor="ann")
    mark = {"reason": "none", "at_ms": 1}
    body: dict[str, Any] = {"symbol": "BTC", "side": "long", "against_control": mark}
    if path == "trades":
        whole = make_trade(TRADER).detail.stored()
        body = {"symbol": "BTC", "side": "long", "closed_at_ns": 10**18, "detail": {**whole, "against_control": mark}}
    else:
        body |= {"entry": {"price": 1, "quantity": 1, "time_ms": 1_700_000_000_000}}
    reply = Engine(text).put(f"/traders/{TRADER}/{path}", body)
    assert reply.status in (400, 422)
    assert "against_control" in str(reply.body)
