"""Guards act where the record is written: an engine of the API gets them as well."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.factories import save_edit
from tests.traders.controls.asking import ask, causes
from tests.trading.record.writing.test_equity_parts import priced
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl, TraderSymbolCooldown
from trading.alarms.models import Alarm
from trading.guards import judge, look
from trading.guards import services as guards
from trading.guards.rules.days import SiteDay
from trading.models import EquitySnapshot, Trade

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

TRADER = "/traders/steady_long"
EQUITY = f"{TRADER}/equity"
MINUTE = 60_000


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's day began long enough ago, whatever the clock says."""
    day_start = timezone.now() - timedelta(hours=12)
    monkeypatch.setattr(look, "site_day", lambda now: SiteDay("2026-01-01", day_start, day_start + timedelta(days=1)))


def now_ms() -> int:
    return int(time.time() * 1000)


def limits(**changed: Any) -> None:
    save_edit("steady_long", **{f"detail__exec_guards__{name}": value for name, value in changed.items()})


def told(engine: Engine, *equities: float, since_minutes: int = 30) -> None:
    """Equity a minute apart, the last one now; the first lies before the day."""
    start = now_ms() - 13 * 3_600_000
    first, *later = equities
    rows = [{"ts_ms": start, "equity_usd": first}]
    assert engine.put(EQUITY, {"points": rows}).status == 200
    for number, equity in enumerate(later):
        point = {"ts_ms": now_ms() - (since_minutes - number) * MINUTE, "equity_usd": equity}
        assert engine.put(EQUITY, {"points": [point]}).status == 200


def lost(engine: Engine, net: float, *, symbol: str = "BTC", minutes_ago: float = 1) -> None:
    closed = now_ms() - int(minutes_ago * MINUTE)
    opened = {"price": 100, "quantity": 1, "time_ms": closed - 1000}
    assert engine.put(f"{TRADER}/positions", {"symbol": symbol, "side": "long", "entry": opened}).status == 200
    answer = engine.post(
        f"{TRADER}/positions/close", {"symbol": symbol, "price": 100 + net, "closed_at_ns": closed * 1_000_000}
    )
    assert answer.status == 200, answer


def pauses() -> list[str]:
    return [str(pause.cause) for pause in wanted_of_one("steady_long").pauses]


def test_two_points_in_breach_of_the_daily_loss_ban_entries_until_the_next_day(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))

    told(engine, 10_000, 9_600, 9_480)
    assert pauses() == []
    told_again(engine, 9_450)

    (pause,) = wanted_of_one("steady_long").pauses
    assert pause.cause == "guard:max_daily_loss_usd"
    assert pause.reason == (
        "Daily loss 550 USD has reached the limit of 500 USD; it ends at "
        f"{pause.until:%Y-%m-%d %H:%M} UTC, or when a person resumes the trader"
    )
    assert "pause" in causes()
    assert Alarm.objects.get(rule="guard_fired").subject == "steady_long max_daily_loss_usd"


def told_again(engine: Engine, equity: float) -> None:
    assert engine.put(EQUITY, {"points": [{"ts_ms": now_ms(), "equity_usd": equity}]}).status == 200


def test_one_wrong_point_makes_no_guard_act(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500), max_drawdown_pct=Decimal(10))

    told(engine, 10_000, 9_990, 10, 9_980)

    assert pauses() == []


def test_realized_losses_confirm_a_single_point(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(50))
    told(engine, 10_000, 9_990)

    lost(engine, -60)
    assert pauses() == []
    told_again(engine, 9_930)

    assert pauses() == ["guard:max_daily_loss_usd"]


def test_the_share_of_the_daily_loss_is_a_limit_of_its_own(engine: Engine) -> None:
    limits(max_daily_loss_pct=Decimal(5))

    told(engine, 10_000, 9_500, 9_499)

    assert pauses() == ["guard:max_daily_loss_pct"]


def test_after_a_resume_the_loss_at_resume_is_forgiven(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_450, 9_450)
    ask("resume", cause="guard:max_daily_loss_usd")

    told_again(engine, 9_300)
    told_again(engine, 9_299)
    assert pauses() == []

    told_again(engine, 8_940)
    told_again(engine, 8_930)
    assert pauses() == ["guard:max_daily_loss_usd"]


def test_a_guard_acts_once_on_each_cause(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))

    told(engine, 10_000, 9_450, 9_440, 9_430, 9_420)

    assert TraderControl.objects.filter(cause="guard:max_daily_loss_usd").count() == 1


def test_a_drawdown_holds_until_a_person_resumes_and_then_has_a_new_peak(engine: Engine) -> None:
    limits(max_drawdown_pct=Decimal(10))
    told(engine, 10_000, 12_000, 10_700, 10_690)

    (pause,) = wanted_of_one("steady_long").pauses
    assert (pause.cause, pause.until) == ("guard:max_drawdown_pct", None)

    ask("resume", cause="guard:max_drawdown_pct")
    told_again(engine, 10_500)
    told_again(engine, 10_490)
    assert pauses() == []

    told_again(engine, 9_400)
    told_again(engine, 9_390)
    assert pauses() == ["guard:max_drawdown_pct"]


def test_losses_in_a_row_cool_the_symbol_down(engine: Engine) -> None:
    limits(loss_cooldown_after=2, loss_cooldown_seconds=7200)

    lost(engine, -1, minutes_ago=9)
    assert not TraderSymbolCooldown.objects.exists()
    lost(engine, 0, minutes_ago=6)
    lost(engine, -2, minutes_ago=3)

    cooldown = TraderSymbolCooldown.objects.get()
    assert (cooldown.symbol, cooldown.detail["consecutive_losses"]) == ("BTC", 2)
    assert timedelta(minutes=116) < cooldown.cooldown_until - timezone.now() < timedelta(minutes=118)
    assert pauses() == []


def test_every_close_cools_down_where_the_settings_say_so(engine: Engine) -> None:
    limits(cooldown_after_close_seconds=900)

    lost(engine, 5)

    assert TraderSymbolCooldown.objects.get().detail["reason"] == "closed"


def test_errors_in_a_row_ban_entries_and_refused_checks_do_not_count(engine: Engine) -> None:
    limits(max_errors_in_a_row=2)

    decided(engine, error="timeout")
    decided(engine, actions=[{"symbol": "BTC", "action": "open_long", "ok": False, "refused_by": ["cooldown"]}])
    assert pauses() == []
    decided(engine, error="no JSON in the answer")

    assert pauses() == ["guard:max_errors_in_a_row"]
    assert wanted_of_one("steady_long").pauses[0].until is None


def decided(engine: Engine, **detail: Any) -> None:
    report(engine, success=not detail, detail=detail)


def test_a_budget_holds_a_flat_trader_at_the_limit(engine: Engine) -> None:
    limits(llm_daily_budget_tokens=1000, llm_daily_budget_usd=Decimal("0.5"))

    used(engine, prompt_tokens=400, completion_tokens=100, cost_usd=0.2)
    assert pauses() == []
    used(engine, prompt_tokens=600, completion_tokens=0, cost_usd=0.29)

    assert pauses() == ["guard:llm_daily_budget_tokens"]


def used(engine: Engine, **usage: Any) -> None:
    report(engine, success=True, detail={"usage": usage})


def report(engine: Engine, **entry: Any) -> None:
    known = {"key": str(uuid.uuid4()), "config_version": 1, "decided_at": timezone.now().isoformat()}
    answer = engine.post(f"{TRADER}/decisions", known | entry)
    assert answer.status == 200, answer


def test_what_happened_before_the_last_start_makes_no_guard_act(engine: Engine) -> None:
    limits(loss_cooldown_after=1, max_daily_loss_usd=Decimal(1))
    ask("start")

    lost(engine, -50, minutes_ago=5)

    assert not TraderSymbolCooldown.objects.exists()
    assert pauses() == []


def test_a_guard_that_fails_keeps_the_record_and_bans_entries(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    limits(loss_cooldown_after=1)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by a wrong figure")

    monkeypatch.setattr(judge, "losses", broken)
    lost(engine, -50)

    assert Trade.objects.count() == 1
    assert pauses() == ["guard:could_not_be_checked"]
    assert "ZeroDivisionError: by a wrong figure" in wanted_of_one("steady_long").pauses[0].reason
    assert "pause" in causes()


def test_an_open_loss_of_a_silent_engine_is_seen_at_the_prices_of_now(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 10_000)
    entry = {"price": 100, "quantity": 10, "time_ms": now_ms() - 40 * MINUTE}
    assert engine.put(f"{TRADER}/positions", {"symbol": "BTC", "side": "long", "entry": entry}).status == 200
    priced(45)
    told_again(engine, 9_450)
    EquitySnapshot.objects.filter(equity_usd=9_450).update(realized_pnl_usd=0, unrealized_pnl_usd=-550)
    priced(44)

    fired = guards.evaluate(["steady_long"])

    assert [standing.name.value for standing in fired] == ["max_daily_loss_usd"]
    assert pauses() == ["guard:max_daily_loss_usd"]


def stored(source: str) -> None:
    """A loss that nobody told this site while it happened."""
    for minutes, equity in ((13 * 60, 10_000), (5, 9_400), (4, 9_390)):
        ts_ms = now_ms() - minutes * MINUTE
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ts_ms, equity_usd=equity, source=source)


def test_the_minutes_look_passes_over_equity_from_before_the_last_start(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    stored("engine")
    ask("start")

    assert guards.evaluate(["steady_long"]) == []
    told_again(engine, 9_380)
    assert pauses() == ["guard:max_daily_loss_usd"]


def test_imported_equity_makes_no_guard_act(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500), max_drawdown_pct=Decimal(5))
    stored("import")

    assert guards.evaluate(["steady_long"]) == []
    assert pauses() == []


def test_the_alarm_ends_with_the_pause(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    told(engine, 10_000, 9_450, 9_440)
    ask("resume", cause="guard:max_daily_loss_usd")

    guards.end_lifted()

    assert Alarm.objects.get(rule="guard_fired").ended_at is not None


def test_where_each_guard_stands(engine: Engine) -> None:
    limits(max_daily_loss_usd=Decimal(500), max_drawdown_pct=Decimal(10), max_errors_in_a_row=5, loss_cooldown_after=3)
    told(engine, 10_000, 9_800, 9_750)
    lost(engine, -3)

    stands = {one.name.value: one for one in guards.standings("steady_long")}

    assert stands["max_daily_loss_usd"].used == 250
    assert stands["max_daily_loss_usd"].share == 0.5
    assert stands["max_drawdown_pct"].used == Decimal("2.5")
    assert stands["loss_cooldown_after"].used == 1
    assert stands["max_daily_loss_pct"].is_on is False
    assert not any(one.is_breached for one in stands.values())
