"""An engine that does not follow a control raises one alarm for all its traders."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from tests.factories import make_trader, sync_traders
from tests.traders.controls.asking import ask, ask_fleet
from tests.trading_factories import make_position, make_trade
from traders.models import TraderControl, TraderControlAck, TraderRuntimeState
from traders.runtime import writer as runtime
from traders.schema.moments import now_ms
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching.services import AlarmWatch
from trading.models import Alarm, Trade
from trading.record.stored.copying import bulk_load
from trading.record.writing import services as record
from trading.record.writing.bulk_trades import copy_trades
from trading.record.writing.positions import open_position
from trading.schema.common import Origin, Side

pytestmark = pytest.mark.django_db


@pytest.fixture
def watch(tmp_path: Path) -> AlarmWatch:
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))
    for trader in ("steady_long", "quick_short"):
        runtime.report(trader, version=1, is_running=True, detail={})
    return AlarmWatch(tmp_path)


def looked(
    watch: AlarmWatch,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    rule: AlarmName = AlarmName.CONTROL_NOT_FOLLOWED,
) -> Alarm | None:
    """The alarm as a look finds it so long after the control was given, however long the test took until now."""
    later = TraderControl.objects.latest("id").at + timedelta(seconds=seconds)
    with monkeypatch.context() as patched:
        patched.setattr("trading.alarms.watching.services.timezone.now", lambda: later)
        watch.look()
    return Alarm.objects.filter(rule=rule, ended_at__isnull=True).first()


def ack(control_id: int, result: str, trader: str = "steady_long") -> None:
    TraderControlAck.objects.create(
        control_id=control_id, trader_id=trader, result=result, actor="token:engine-1", at=timezone.now()
    )


def test_a_control_that_nobody_acknowledges(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    [written] = ask("pause")
    assert looked(watch, monkeypatch, 29) is None

    alarm = looked(watch, monkeypatch, 40)
    assert alarm is not None
    assert alarm.traders == ["steady_long"]
    assert "steady_long has not acknowledged pause by mei, 40 s ago" in alarms.message_of(alarm)

    ack(written.control.id, "done")
    assert looked(watch, monkeypatch, 41) is None


def test_a_fleet_stop_is_one_alarm_for_all(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_fleet("stop")
    alarm = looked(watch, monkeypatch, 31)
    assert alarm is not None
    assert alarm.traders == ["quick_short", "steady_long"]


def test_a_control_that_an_engine_refuses(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    [written] = ask("stop")
    ack(written.control.id, "refused")
    alarm = looked(watch, monkeypatch, 1)
    assert alarm is not None
    assert "steady_long refused stop by mei" in alarms.message_of(alarm)


def test_an_engine_that_goes_on_after_it_acknowledged_a_stop(
    watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    [written] = ask("stop")
    ack(written.control.id, "done")
    assert looked(watch, monkeypatch, 61) is None

    TraderRuntimeState.objects.update(updated_at=TraderControlAck.objects.get().at + timedelta(seconds=61))
    alarm = looked(watch, monkeypatch, 62)
    assert alarm is not None
    assert "steady_long still runs 1 min 1 s after it acknowledged stop by mei" in alarms.message_of(alarm)


def test_a_trader_that_does_not_run_follows_a_stop(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("stop")
    TraderRuntimeState.objects.filter(pk="steady_long").update(is_running=False)
    assert looked(watch, monkeypatch, 100) is None


def enter(trader: str, symbol: str, *, seconds: float = 61) -> None:
    at_ms = int(TraderControl.objects.latest("id").at.timestamp() * 1000 + seconds * 1000) + 1
    record.position(trader_id=trader, symbol=symbol, side=Side.LONG, detail=make_position(opened_ms=at_ms))


def against() -> list[Alarm]:
    return list(Alarm.objects.filter(rule=AlarmName.AGAINST_CONTROL).order_by("id"))


class TestAgainstControl:
    def test_an_entry_under_a_ban_is_told_once(self, watch: AlarmWatch) -> None:
        [asked] = ask("pause")
        enter("steady_long", "BTC")
        enter("steady_long", "ETH", seconds=30)
        enter("quick_short", "BTC")
        watch.look()
        (alarm,) = against()
        said = "steady_long BTC long was entered although entries were banned: paused by mei: because"
        assert (alarms.message_of(alarm), alarm.severity) == (said, "page")
        assert (alarm.subject, alarm.traders) == (f"control {asked.control.id}", ["steady_long"])
        alarms.acknowledge(alarm.pk, by="mei")
        watch.look()
        assert len(against()) == 1

    def test_entries_against_one_fleet_stop_are_one_alarm(self, watch: AlarmWatch) -> None:
        ask_fleet("stop")
        enter("steady_long", "BTC")
        watch.look()
        enter("quick_short", "BTC")
        enter("quick_short", "ETH")
        watch.look()
        watch.look()
        (alarm,) = against()
        assert (alarm.traders, alarm.count) == (["quick_short", "steady_long"], 2)
        assert "Entries made although entries were banned (3): fleet stop by mei" in alarms.message_of(alarm)

    def test_an_entry_after_somebody_acknowledged_is_told_again(self, watch: AlarmWatch) -> None:
        ask_fleet("stop")
        enter("steady_long", "BTC")
        watch.look()
        alarms.acknowledge(against()[0].pk, by="mei")
        enter("quick_short", "BTC", seconds=62)
        watch.look()
        assert [alarm.ended_at is None for alarm in against()] == [False, True]

    def test_a_trade_and_its_position_are_one_entry(self, watch: AlarmWatch) -> None:
        ask("pause")
        enter("steady_long", "BTC")
        closed_ns = (now_ms() + 63_000) * 1_000_000
        record.close(trader_id="steady_long", symbol="BTC", price=Decimal(46000), closed_at_ns=closed_ns)
        watch.look()
        (alarm,) = against()
        assert alarm.figures["entries"] == 1

    def test_what_was_imported_or_is_long_past_raises_none(self, watch: AlarmWatch) -> None:
        ask("pause")
        at_ms = now_ms() + 62_000
        origin = Origin(system="arena")
        with bulk_load(name="trades"):
            copy_trades([make_trade("steady_long", open_ms=at_ms, close_ms=at_ms + 1000, origin=origin)])
        watch.look()
        assert Trade.objects.get().detail["against_control"]["reason"]
        assert against() == []


def test_a_position_that_an_expired_close_left_open(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def left(minutes: float) -> Alarm | None:
        return looked(watch, monkeypatch, minutes * 60, AlarmName.CLOSE_EXPIRED)

    now = now_ms()
    for symbol in ("BTC", "ETH"):
        open_position(trader_id="steady_long", symbol=symbol, side=Side.LONG, detail=make_position(opened_ms=now - 5))
    ask("close", symbol="BTC")
    open_position(trader_id="quick_short", symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=now))
    assert left(9) is None

    alarm = left(11)
    assert alarm is not None
    said = "Positions still open after their close expired (1): steady_long BTC long"
    assert (alarms.message_of(alarm), alarm.severity, alarm.traders) == (said, "page", ["steady_long"])

    ask("close", symbol="BTC", actor="joe")
    assert left(9) is None, "a close that holds names it again"
    assert left(12) is not None
    record.close(trader_id="steady_long", symbol="BTC", price=Decimal(46000), closed_at_ns=now * 1_000_000)
    assert left(13) is None


def test_a_pin_of_more_than_seven_days(watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def old(days: float) -> Alarm | None:
        return looked(watch, monkeypatch, days * 86_400, AlarmName.PIN_OLD)

    ask("pin", version=1)
    assert old(6.9) is None

    alarm = old(8)
    assert alarm is not None
    said = "Traders pinned to an older version (1), the first for 8 d: steady_long v1"
    assert (alarms.message_of(alarm), alarm.severity, alarm.traders) == (said, "notify", ["steady_long"])

    ask("unpin")
    assert old(8) is None
