"""Which facts make a guard act, and which never do: each sentence about it is a test."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.factories import save_edit
from tests.traders.controls.asking import ask, causes, effect
from tests.trading.differences.test_reconcile import opened, reconcile, settle
from tests.trading.guards.test_acting import (
    EQUITY,
    MINUTE,
    TRADER,
    _noon,
    decided,
    limits,
    lost,
    now_ms,
    pauses,
    report,
    told,
    told_again,
)
from tests.trading_factories import make_trade
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl, TraderSymbolCooldown
from trading.alarms.models import Alarm
from trading.differences.rules import Settlement
from trading.guards import judge
from trading.guards import services as guards
from trading.guards.look import TraderLook
from trading.models import EquitySnapshot, Trade
from trading.record.corrections import services as corrections
from trading.record.exclusions import services as exclusions
from trading.record.transfers.services import transfer
from trading.record.writing.trades import record_trade
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import TransferKind

__all__ = ["EngineWith", "_noon", "_placed_at_once", "engine", "engine_with"]

HOUR = 60 * MINUTE
DAILY = "guard:max_daily_loss_usd"


def moved(kind: TransferKind, amount: int, minutes_ago: float) -> None:
    moment = now_ms() - int(minutes_ago * MINUTE)
    transfer(
        trader_id="steady_long", kind=kind, amount=Decimal(amount), ts_ms=moment, reason="booked later", actor="mei"
    )


def test_a_correction_makes_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1, max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_900)
    lost(engine, 5)
    trade = Trade.objects.get()

    wrong = {"id": trade.pk, "set": {"pnl.net": -50, "pnl.gross": -50}, "reason": "the exchange's statement"}
    assert engine.post(f"{TRADER}/trades/correct", wrong).status == 200
    for point in EquitySnapshot.objects.exclude(equity_usd=10_000):
        key = RecordKey(RecordKind.EQUITY, f"steady_long|{point.ts_ms}")
        corrections.correct(key, {"equity_usd": Decimal(9_000)}, reason="the statement", actor="mei")

    assert not TraderSymbolCooldown.objects.exists()
    assert pauses() == []


def test_a_record_that_is_set_aside_makes_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1)
    lost(engine, -5, minutes_ago=3)
    lost(engine, 5, minutes_ago=1)
    ask("clear_cooldown")
    gain = Trade.objects.get(net_pnl__gt=0)

    exclusions.set_aside([RecordKey(RecordKind.TRADE, gain.pk)], reason="not ours", actor="mei")

    assert TraderSymbolCooldown.objects.filter(cooldown_until__gt=timezone.now()).count() == 0


def test_a_record_of_an_earlier_day_makes_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1, loss_cooldown_seconds=86_400, max_daily_loss_usd=Decimal(500))
    told(engine, 10_000)

    lost(engine, -50, minutes_ago=13 * 60)
    yesterday = [{"ts_ms": now_ms() - 12 * HOUR - number * MINUTE, "equity_usd": 9_000} for number in (3, 2)]
    assert engine.put(EQUITY, {"points": yesterday}).status == 200

    assert not TraderSymbolCooldown.objects.exists()
    assert pauses() == []


def test_errors_of_an_earlier_day_make_no_guard_act(engine: Engine) -> None:
    limits(max_errors_in_a_row=2)

    for _number in range(3):
        early = (timezone.now() - timedelta(hours=13)).isoformat()
        report(engine, success=False, decided_at=early, detail={"error": "timeout"})

    assert pauses() == []


def test_imported_trades_make_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1)

    record_trade(make_trade(open_ms=now_ms() - 9 * MINUTE, close_ms=now_ms() - MINUTE, net=-50))

    assert not TraderSymbolCooldown.objects.exists()


def test_what_a_person_takes_from_the_exchange_makes_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1, max_daily_loss_usd=Decimal(50))
    told(engine, 10_000, 10_000)
    opened(engine)
    reconcile(engine)

    settle(Settlement.TAKEN, Decimal(60))

    assert Trade.objects.get().net_pnl == -80
    assert not TraderSymbolCooldown.objects.exists()
    assert pauses() == []


def test_a_withdrawal_that_is_booked_later_takes_no_pause_away(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_400, 9_390)
    assert pauses() == [DAILY]

    moved(TransferKind.WITHDRAWAL, 600, minutes_ago=60)

    assert pauses() == [DAILY]
    assert [pause.cause for pause in guards.guards_of("steady_long").lifted] == [DAILY]


def test_a_deposit_that_is_booked_later_is_looked_at_again(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_900, 9_890)
    assert pauses() == []

    moved(TransferKind.DEPOSIT, 600, minutes_ago=60)

    assert pauses() == [DAILY]


def test_a_daily_pause_ends_by_itself_at_the_next_day(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_400, 9_390)

    later = timezone.now() + timedelta(hours=12, minutes=1)
    assert [pause.cause for pause in wanted_of_one("steady_long", later).pauses] == []
    assert not TraderControl.objects.filter(kind="resume").exists(), "nothing had to be written for it"


def test_a_start_lifts_no_pause_of_a_guard(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_400, 9_390)

    ask("pause")

    ask("start")
    ask("resume")

    assert pauses() == [DAILY], "a resume that names no guard ends the operator's pause"


def test_stale_equity_bans_entries_without_a_pause_and_ends_by_itself(engine: Engine) -> None:
    save_edit("steady_long", detail__auto_start=True)
    limits(max_daily_loss_usd=Decimal(500))
    assert engine.put(EQUITY, {"points": [{"ts_ms": now_ms() - HOUR, "equity_usd": 10_000}]}).status == 200

    assert causes() == ["stale_equity"]
    guards.evaluate(["steady_long"])
    assert not TraderControl.objects.exists()

    told_again(engine, 10_000)
    assert (causes(), effect()) == ([], "running")


def test_what_a_person_cleared_does_not_come_back_with_the_same_close(engine: Engine) -> None:
    limits(loss_cooldown_after=1, loss_cooldown_seconds=7200)
    lost(engine, -5, minutes_ago=2)
    ask("clear_cooldown", symbol="BTC")

    guards.evaluate(["steady_long"])
    old = TraderSymbolCooldown.objects.get()
    assert old.cooldown_until <= timezone.now()

    lost(engine, -5, minutes_ago=-0.01)
    assert TraderSymbolCooldown.objects.get().cooldown_until > timezone.now() + timedelta(minutes=100)


def test_a_guard_only_extends_a_cooldown(engine: Engine) -> None:
    limits(cooldown_after_close_seconds=900)
    longer = timezone.now() + timedelta(hours=3)
    ask("cooldown", symbol="BTC", until=longer)

    lost(engine, -5)

    assert TraderSymbolCooldown.objects.get().cooldown_until == longer


def other_decided(engine: Engine, **detail: Any) -> None:
    """Another trader, without success."""
    told = {"config_version": 1, "success": False, "key": "1", "decided_at": timezone.now().isoformat()}
    assert engine.post("/traders/swift_short/decisions", told | {"detail": detail}).status == 200


@pytest.mark.parametrize(("other", "is_shared"), [("fast", True), ("", True), ("far", False)])
def test_errors_of_one_provider_are_shared_whatever_its_models(
    engine: Engine, settings: Any, tmp_path: Path, other: str, is_shared: bool
) -> None:
    models = "{fast: {provider: near}, slow: {provider: near}, far: {provider: away}}"
    (tmp_path / "llm.yaml").write_text(f"default_model: fast\nmodels: {models}\n")
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    save_edit("steady_long", detail__llm__model="slow")
    save_edit("swift_short", detail__llm__model=other)
    limits(max_errors_in_a_row=2)
    other_decided(engine, error="timeout")

    decided(engine, error="timeout")
    decided(engine, error="timeout")

    assert pauses() == ([] if is_shared else ["guard:max_errors_in_a_row"])


def test_an_order_of_another_trader_that_a_check_refused_is_no_shared_error(engine: Engine) -> None:
    limits(max_errors_in_a_row=2)
    refused = {"symbol": "BTC", "action": "open_long", "ok": False, "refused_by": ["cooldown"], "error": "too early"}
    other_decided(engine, actions=[refused])

    decided(engine, error="timeout")
    decided(engine, error="timeout")

    assert pauses() == ["guard:max_errors_in_a_row"]


def test_errors_that_another_trader_of_the_model_shares_pause_nobody(engine: Engine) -> None:
    limits(max_errors_in_a_row=2)
    other_decided(engine, error="timeout")

    decided(engine, error="timeout")
    decided(engine, error="timeout")

    assert pauses() == []
    alarm = Alarm.objects.get(rule="model_errors")
    assert alarm.traders == ["steady_long"]
    assert TraderLook.of("steady_long", timezone.now()).spec.detail.llm.model == alarm.subject


def test_a_version_that_fell_too_far_is_held_once(engine: Engine) -> None:
    limits(max_version_drawdown_pct=Decimal(5))
    told(engine, 1_000, 1_000)

    lost(engine, -40, symbol="BTC", minutes_ago=-0.02)
    assert pauses() == []
    lost(engine, -20, symbol="ETH", minutes_ago=-0.03)

    (pause,) = wanted_of_one("steady_long").pauses
    assert (pause.cause, pause.until) == ("guard:max_version_drawdown_pct", None)
    ask("resume", cause="guard:max_version_drawdown_pct")
    lost(engine, -10, symbol="SOL", minutes_ago=-0.04)
    assert pauses() == [], "the same version is the same cause"


def test_losses_in_many_symbols_are_read_in_one_statement(engine: Engine) -> None:
    limits(loss_cooldown_after=9)

    lost(engine, -1, symbol="BTC", minutes_ago=9)
    of_one = len(_statements())
    for number, symbol in enumerate(("ETH", "SOL", "XRP")):
        lost(engine, -1, symbol=symbol, minutes_ago=8 - number)
        lost(engine, -1, symbol=symbol, minutes_ago=4 - number)

    assert len(_statements()) == of_one
    nearest = guards.standings("steady_long")[0]
    assert (nearest.used, nearest.limit) == (Decimal(2), Decimal(9))


def _statements() -> list[dict[str, str]]:
    look = TraderLook.of("steady_long", timezone.now())
    with CaptureQueriesContext(connection) as captured:
        judge.all_of(look, Decimal(1))
    return [one for one in captured.captured_queries if "trades" in one["sql"]]
