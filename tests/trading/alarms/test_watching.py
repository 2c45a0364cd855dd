"""Each rule raises an alarm when its cause is there, and the alarm ends by itself when the cause is gone."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask
from tests.trading_factories import make_entry, make_position, make_trade
from traders.database import sql
from traders.models import SyncConflict, TraderRuntimeState
from traders.runtime import writer as runtime
from traders.schema.messages import _, verbatim
from traders.schema.moments import now_ms
from traders.tokens import services as tokens
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching.services import AlarmWatch, watchers
from trading.export.directory.manifest import Manifest
from trading.export.directory.runs import ExportDirectory
from trading.export.status import file as status
from trading.export.status.board import RUNNING, Board, Supervision
from trading.export.status.file import ExportStatus, ServerSeen
from trading.models import Alarm, AlarmRuleChange, EquitySnapshot, Position
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.position import Orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def watch(tmp_path: Path) -> AlarmWatch:
    sync_traders(make_trader(), make_trader("quick_short"))
    return AlarmWatch(tmp_path)


def running(trader_id: str = "steady_long", *, silent_seconds: float = 0) -> None:
    runtime.report(trader_id, version=1, is_running=True, detail={})
    reported = timezone.now() - timedelta(seconds=silent_seconds)
    TraderRuntimeState.objects.filter(pk=trader_id).update(updated_at=reported)


def opened() -> dict[str, Alarm]:
    return {alarm.rule: alarm for alarm in Alarm.objects.filter(ended_at__isnull=True)}


def test_a_fleet_that_is_well_has_no_alarm(watch: AlarmWatch) -> None:
    assert watch.look()
    assert opened() == {}


def test_an_engine_that_is_silent_raises_one_alarm_for_all_its_traders(watch: AlarmWatch) -> None:
    for trader in ("steady_long", "quick_short"):
        running(trader, silent_seconds=100_000)
    watch.look()
    watch.look()

    alarm = opened()[AlarmName.REPORT_OVERDUE]
    assert (alarm.traders, alarm.count) == (["quick_short", "steady_long"], 2)
    assert "Running traders without a report: 2" in alarms.message_of(alarm)

    running("quick_short")
    watch.look()
    assert opened()[AlarmName.REPORT_OVERDUE].traders == ["steady_long"]
    running()
    watch.look()
    assert AlarmName.REPORT_OVERDUE not in opened()
    assert Alarm.objects.get().ended_by == "@cause"


def test_an_engine_that_reports_an_error(watch: AlarmWatch) -> None:
    for trader, error in (("steady_long", "no margin\nTrace"), ("quick_short", {"message": "401"})):
        runtime.report(trader, version=1, is_running=True, detail={"last_error": error})
    watch.look()
    alarm = opened()[AlarmName.ENGINE_ERROR]
    assert (
        alarms.message_of(alarm) == "Running traders that report an error (2): quick_short: 401; steady_long: no margin"
    )
    assert alarm.severity == "show"

    running("steady_long")
    TraderRuntimeState.objects.filter(pk="quick_short").update(updated_at=minutes_ago(100))
    watch.look()
    assert AlarmName.ENGINE_ERROR not in opened()


def test_an_engine_that_stays_at_an_older_version(watch: AlarmWatch) -> None:
    save_edit("steady_long", "lee", "less", detail__risk__max_positions=1)
    running()
    watch.look()
    assert AlarmName.VERSION_BEHIND not in opened()

    TraderRuntimeState.objects.filter(pk="steady_long").update(updated_at=timezone.now() + timedelta(minutes=10))
    watch.look()
    assert "steady_long v1 (v2)" in alarms.message_of(opened()[AlarmName.VERSION_BEHIND])

    ask("pin", version=1)
    watch.look()
    assert AlarmName.VERSION_BEHIND not in opened()


def test_a_configuration_that_was_changed_since_the_file_declared_it(watch: AlarmWatch) -> None:
    save_edit("steady_long", "lee", "less", detail__risk__max_positions=1)
    watch.look()
    alarm = opened()[AlarmName.FILE_DIFFERS]
    assert "Configurations that differ from manager.yaml (1): steady_long (detail.risk.max_positions)" in (
        alarms.message_of(alarm)
    )
    alarms.acknowledge(alarm.pk, by="mei")
    save_edit("steady_long", "lee", "fewer", allocation_pct=Decimal(10))
    watch.look()
    assert opened()[AlarmName.FILE_DIFFERS].acknowledged_until is not None

    save_edit("steady_long", "lee", "as before", detail__risk__max_positions=3, allocation_pct=Decimal(20))
    watch.look()
    assert AlarmName.FILE_DIFFERS not in opened()


def test_equity_that_no_engine_reports_any_more_is_stale(watch: AlarmWatch) -> None:
    running()
    EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=now_ms() - 50_000_000, equity_usd=Decimal(100))
    watch.look()
    assert opened()[AlarmName.EQUITY_STALE].traders == ["steady_long"]

    EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=now_ms(), equity_usd=Decimal(100))
    watch.look()
    assert opened() == {}


def say(root: Path, **more: Any) -> None:
    up = ServerSeen(is_up=True, at=time.time())
    status.write(root, ExportStatus(**{"at": time.time(), "pid": 1, "postgres": up, "redis": up, **more}))


def test_prices_are_stale_while_a_position_is_open(watch: AlarmWatch, tmp_path: Path) -> None:
    say(tmp_path, live_ages={"nof0:price:latest": 301.0})
    watch.look()
    assert opened() == {}

    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    watch.look()
    message = alarms.message_of(opened()[AlarmName.PRICES_STALE])
    assert re.search(r"The youngest price is 5 min \d+ s old; open positions: 1", message), message

    say(tmp_path, live_ages={"nof0:price:latest": 5.0})
    watch.look()
    assert AlarmName.PRICES_STALE not in opened()


def test_a_position_without_a_stop_order_is_a_page(watch: AlarmWatch) -> None:
    running()
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    stopped = make_position(orders=Orders(sl_oid=1003))
    open_position(trader_id="steady_long", symbol="ETH", side=Side.LONG, detail=stopped)
    young = make_position(opened_ms=now_ms())
    open_position(trader_id="steady_long", symbol="SOL", side=Side.LONG, detail=young)
    watch.look()

    alarm = opened()[AlarmName.NO_LIVE_STOP]
    assert alarm.severity == "page"
    assert "Positions without a stop-loss order (1): steady_long BTC long" in alarms.message_of(alarm)

    stored = Position.objects.get(symbol="BTC")
    Position.objects.filter(pk=stored.pk).update(detail=stored.detail | {"orders": {"sl_oid": 1004}})
    watch.look()
    assert AlarmName.NO_LIVE_STOP not in opened()


def test_positions_of_imported_records_need_no_stop(watch: AlarmWatch) -> None:
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    watch.look()
    assert opened() == {}


def test_a_liquidation_is_told_once(watch: AlarmWatch) -> None:
    now = now_ms()
    trade = make_trade(open_ms=now - 60_000, close_ms=now - 1_000, net=-50)
    fills = (
        trade.detail.fills[0],
        trade.detail.fills[1].model_copy(update={"liquidation": "by the exchange"}),
    )
    record_trade(make_trade(open_ms=now - 60_000, close_ms=now - 1_000, net=-50, fills=fills))
    record_trade(make_trade("quick_short", open_ms=now - 60_000, close_ms=now - 1_000))
    watch.look()

    alarm = opened()[AlarmName.LIQUIDATION]
    assert "steady_long was liquidated in BTC (long), net -50.00 USD" in alarms.message_of(alarm)
    alarms.acknowledge(alarm.pk, by="mei")
    watch.look()
    assert opened() == {}


def test_a_model_that_fails_again_and_again_raises_one_alarm(watch: AlarmWatch) -> None:
    for number in range(3):
        for trader in ("steady_long", "quick_short"):
            record_decision(make_entry(trader, decided_at=minutes_ago(10 - number), success=False))
    watch.look()
    [alarm] = opened().values()
    assert (alarm.rule, alarm.traders, alarm.figures) == (
        AlarmName.MODEL_ERRORS,
        ["quick_short", "steady_long"],
        {"failed": 6},
    )

    record_decision(make_entry("quick_short", decided_at=minutes_ago(1), success=True))
    watch.look()
    assert opened() == {}


def test_an_alarm_of_a_model_that_a_guard_raised_stays_while_decisions_fail(watch: AlarmWatch) -> None:
    model = make_trader().detail.llm.model
    record_decision(make_entry(decided_at=minutes_ago(2), success=False))
    watch.look()
    assert opened() == {}

    alarms.raise_alarm(AlarmName.MODEL_ERRORS, _("a guard saw it"), subject=model, traders=["steady_long"])
    watch.look()
    assert opened()[AlarmName.MODEL_ERRORS].count == 2


def minutes_ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def test_a_change_that_raises_risk_is_told_once_with_its_reason(watch: AlarmWatch) -> None:
    save_edit("steady_long", "mei", "more room", detail__risk__max_positions=9)
    save_edit("quick_short", "lee", "less", detail__risk__max_positions=1)
    watch.look()
    watch.look()

    alarm = opened()[AlarmName.CONFIG_CHANGED]
    assert (alarm.traders, alarm.count) == (["steady_long"], 1)
    assert alarms.message_of(alarm) == "mei changed detail.risk.max_positions of 1 configurations: more room"
    alarms.acknowledge(alarm.pk, by="mei")
    AlarmWatch(Path("/nowhere")).look()
    assert AlarmName.CONFIG_CHANGED not in opened()


def test_a_site_names_the_paths_that_it_watches(watch: AlarmWatch) -> None:
    AlarmRuleChange.objects.create(rule=AlarmName.CONFIG_CHANGED, paths=["detail.description", "allocation_pct"])
    save_edit("steady_long", "mei", "words", detail__description="calm")
    save_edit("quick_short", "lee", "room", detail__risk__max_positions=9)
    watch.look()

    told = Alarm.objects.filter(rule=AlarmName.CONFIG_CHANGED)
    assert [alarm.traders for alarm in told] == [["steady_long"]]


def test_a_conflict_that_waits_for_an_hour(watch: AlarmWatch) -> None:
    SyncConflict.objects.create(
        config_id="steady_long", path="allocation_pct", declared={}, file_sha256="x", seen_at=minutes_ago(61)
    )
    watch.look()
    assert opened()[AlarmName.CONFLICT_WAITING].traders == ["steady_long"]

    SyncConflict.objects.all().delete()
    watch.look()
    assert opened() == {}


def test_rows_that_the_export_left_out(watch: AlarmWatch, tmp_path: Path) -> None:
    say(tmp_path, unreadable={"trades": 2, "positions": 1})
    watch.look()
    assert opened()[AlarmName.UNREADABLE_ROWS].figures == {"trades": 2, "positions": 1}

    say(tmp_path)
    watch.look()
    assert opened() == {}


def test_an_exporter_that_was_started_again(tmp_path: Path) -> None:
    board = Board()
    watch = AlarmWatch(tmp_path, board)
    board.supervision.write(Supervision(RUNNING, time.time(), 1, "was killed by SIGKILL", time.time()))
    watch.look()
    assert "was killed by SIGKILL" in alarms.message_of(opened()[AlarmName.EXPORTER_RESTARTED])

    board.supervision.write(Supervision(RUNNING, time.time(), 1, "was killed by SIGKILL", time.time() - 3601))
    watch.look()
    assert opened() == {}


def test_an_export_that_is_late(watch: AlarmWatch, tmp_path: Path) -> None:
    export(tmp_path, now_ms() - 301_000)
    watch.look()
    message = alarms.message_of(opened()[AlarmName.EXPORT_LATE])
    assert re.search(r"are 5 min \d+ s old", message), message

    export(tmp_path, now_ms())
    watch.look()
    assert opened() == {}


def export(root: Path, as_of_ms: int) -> None:
    directory = ExportDirectory(root)
    run = directory.begin(as_of_ms)
    directory.publish(run, Manifest(as_of=as_of_ms, duration_ms=1, files=[]))


def test_a_store_that_is_away_and_a_disk_that_is_full(watch: AlarmWatch, tmp_path: Path) -> None:
    down = ServerSeen(is_up=False, error=verbatim("does not answer"))
    say(tmp_path, redis=down, disk=ServerSeen(is_up=False, error=verbatim("No space left on device")))
    watch.look()
    found = {alarm.subject: alarms.message_of(alarm) for alarm in Alarm.objects.filter(rule=AlarmName.STORE_AWAY)}
    assert found == {
        "Redis": "Redis does not answer the exporter: does not answer",
        "the disk of EXPORT_DIR": "The disk of EXPORT_DIR does not answer the exporter: No space left on device",
    }

    say(tmp_path, disk=ServerSeen(is_up=True, at=time.time()))
    watch.look()
    assert opened() == {}


def test_a_backup_that_is_old_or_missing(watch: AlarmWatch, tmp_path: Path, settings: Any) -> None:
    settings.BACKUP_DIR = str(tmp_path / "backups")
    watch.look()
    assert "no file in BACKUP_DIR" in alarms.message_of(opened()[AlarmName.BACKUP_OLD])

    (tmp_path / "backups").mkdir()
    dump = tmp_path / "backups" / "nof0.dump"
    dump.write_bytes(b"x")
    watch.look()
    assert opened() == {}
    os.utime(dump, (time.time() - 27 * 3600,) * 2)
    watch.look()
    assert "27.0 h old" in alarms.message_of(opened()[AlarmName.BACKUP_OLD])


def test_an_engine_whose_clock_is_ahead(watch: AlarmWatch) -> None:
    token, _text = tokens.create(name="engine-1", scopes=["write-state"], actor="mei")
    tokens.note_refused(token.id, trader_id="steady_long", what="trades", symbol="BTC", ahead_ms=360_000)
    watch.look()
    alarm = opened()[AlarmName.ENGINE_CLOCK]
    assert alarm.traders == ["steady_long"]
    assert "6 min ahead" in alarms.message_of(alarm)

    AlarmRuleChange.objects.create(rule=AlarmName.ENGINE_CLOCK, threshold=Decimal("0"))
    watch.look()
    assert opened() == {}, "the last refusal is older than the threshold"


def test_a_close_whose_trade_was_never_recorded(watch: AlarmWatch) -> None:
    """A program that writes SQL closed the position and forgot the trade."""
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    held = Position.objects.get()
    closed_ms = now_ms()
    close = {"price": Decimal(100), "quantity": Decimal("0.01"), "time_ms": closed_ms}
    Position.objects.update(status="closed", detail=held.detail | {"close": close}, updated_at=timezone.now())
    watch.look()
    assert AlarmName.CLOSE_WITHOUT_TRADE not in opened()

    Position.objects.update(updated_at=minutes_ago(11))
    watch.look()
    assert opened()[AlarmName.CLOSE_WITHOUT_TRADE].traders == ["steady_long"]

    record_trade(make_trade(open_ms=held.opened_ms, close_ms=closed_ms))
    watch.look()
    assert opened() == {}


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT 1 FROM nowhere"])
def test_a_rule_that_cannot_be_asked_stops_no_other(
    watch: AlarmWatch, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    running(silent_seconds=100_000)

    def broken(_look: object) -> Any:
        return sql.rows(statement)

    asked = {**watchers(), AlarmName.EQUITY_STALE: broken}
    monkeypatch.setattr(watch, "_watchers", asked)

    assert not watch.look()
    assert AlarmName.REPORT_OVERDUE in opened()


def test_a_rule_that_is_switched_off_ends_its_alarms(watch: AlarmWatch) -> None:
    running(silent_seconds=100_000)
    watch.look()
    AlarmRuleChange.objects.create(rule=AlarmName.REPORT_OVERDUE, severity="off")
    watch.look()
    assert opened() == {}


def test_a_threshold_can_be_changed(watch: AlarmWatch) -> None:
    running(silent_seconds=100_000)
    AlarmRuleChange.objects.create(rule=AlarmName.REPORT_OVERDUE, threshold=200_000)
    watch.look()
    assert opened() == {}
