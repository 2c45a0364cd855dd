"""The limits of the whole fleet: a loss stops it, too much exposure holds it, a used-up budget holds it for the day."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask_fleet
from tests.trading.record.writing.test_equity_parts import priced
from traders.controls import queries as controls
from traders.controls.wanted import wanted_of
from traders.manager_yaml.budget import model_budget
from traders.manager_yaml.file import InvalidFile
from traders.schema.settings.fleet import FLEET_ID
from trading.alarms.models import Alarm
from trading.guards import fleet, look
from trading.guards.rules.days import SiteDay
from trading.models import DecisionJournal, EquitySnapshot, Position
from trading.record.stored.spread import judging
from trading.record.writing.services import close

pytestmark = pytest.mark.django_db
TRADERS = ("steady_long", "quick_short")


@pytest.fixture(autouse=True)
def _two_traders(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(*(make_trader(name, detail__auto_start=True) for name in TRADERS))
    start = timezone.now() - timedelta(hours=12)
    day = SiteDay("2026-01-01", start, start + timedelta(days=1))
    monkeypatch.setattr(look, "site_day", lambda now: day)
    monkeypatch.setattr(fleet, "site_day", lambda now: day)


def limits(**changed: Any) -> None:
    save_edit(FLEET_ID, **{f"detail__manager__{name}": value for name, value in changed.items()})


def equity(trader_id: str, before: int, now: int) -> None:
    now_ms = int(time.time() * 1000)
    for ts_ms, usd in ((now_ms - 13 * 3_600_000, before), (now_ms - 2000, now), (now_ms - 1000, now)):
        EquitySnapshot.objects.create(trader_id=trader_id, ts_ms=ts_ms, equity_usd=usd, source="engine")


def held(trader_id: str, side: str, quantity: int, symbol: str = "BTC") -> None:
    opened = int(time.time() * 1000) - 60_000
    Position.objects.create(
        id=f"{trader_id}|{symbol}",
        trader_id=trader_id,
        symbol=symbol,
        side=side,
        status="open",
        detail={"entry": {"price": 100, "quantity": quantity, "time_ms": opened}, "versions": {"entry": 1}},
    )


def paused() -> dict[str, list[str | None]]:
    return {name: [pause.cause for pause in state.pauses] for name, state in wanted_of(TRADERS).items()}


def test_a_loss_of_the_fleet_stops_it_once_a_day() -> None:
    limits(fleet_max_daily_loss_pct=Decimal(5))
    equity("steady_long", 10_000, 8_900)
    equity("quick_short", 10_000, 10_000)

    fleet.evaluate()
    stop = controls.fleet_stop()

    assert stop is not None
    assert stop.actor == "guard:fleet_daily_loss"
    assert "Fleet's daily loss 5.5 % has reached the limit of 5 %" in stop.reason
    assert Alarm.objects.get(rule="guard_fired").subject == "fleet fleet_daily_loss"

    ask_fleet("release")
    fleet.evaluate()
    assert controls.fleet_stop() is None
    assert Alarm.objects.get(rule="guard_fired").ended_by == "@cause"


def test_one_report_of_a_loss_stops_no_fleet() -> None:
    limits(fleet_max_daily_loss_pct=Decimal(5))
    equity("steady_long", 10_000, 10_000)
    equity("quick_short", 10_000, 10_000)

    later(8_000)
    assert fleet.standings().loss.used == 10
    assert fleet.evaluate() == []

    later(7_990)
    assert [one.name.value for one in fleet.evaluate()] == ["fleet_daily_loss"]


@pytest.mark.parametrize("wrong", [0, -100, 5, 900_000])
def test_a_wrong_point_counts_nowhere_in_the_fleet(wrong: int) -> None:
    limits(fleet_max_daily_loss_pct=Decimal(5), fleet_max_gross_exposure_x=Decimal(2))
    equity("steady_long", 10_000, 10_000)
    held("steady_long", "long", 30)

    later(wrong)

    stands = fleet.standings()
    assert stands.loss.used == 0
    assert stands.gross.used == Decimal("0.3")
    assert fleet.evaluate() == []


def later(usd: int) -> None:
    ts_ms = int(time.time() * 1000)
    EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ts_ms, equity_usd=usd, source="engine")
    judging.equity_added([("steady_long", ts_ms, "engine")])
    time.sleep(0.002)


def test_a_gain_of_one_trader_makes_up_for_the_loss_of_another() -> None:
    limits(fleet_max_daily_loss_pct=Decimal(5))
    equity("steady_long", 10_000, 8_900)
    equity("quick_short", 10_000, 10_200)

    assert fleet.evaluate() == []
    assert controls.fleet_stop() is None


def test_too_much_exposure_bans_entries_of_all_until_it_is_less() -> None:
    limits(fleet_max_gross_exposure_x=Decimal(2))
    for name in TRADERS:
        equity(name, 1_000, 1_000)
    held("steady_long", "long", 30)
    held("quick_short", "short", 15)
    priced(100)

    fleet.evaluate()
    assert paused() == {name: ["guard:fleet_max_gross_exposure_x"] for name in TRADERS}

    close(trader_id="quick_short", symbol="BTC", price=Decimal(100), closed_at_ns=time.time_ns())
    fleet.evaluate()
    assert paused() == {"steady_long": [], "quick_short": []}
    assert Alarm.objects.get(rule="guard_fired").ended_at is not None


def test_longs_and_shorts_of_one_underlying_make_up_for_each_other() -> None:
    limits(fleet_max_net_exposure_pct_per_underlying=Decimal(50))
    for name in TRADERS:
        equity(name, 1_000, 1_000)
    held("steady_long", "long", 30, "BTC")
    held("quick_short", "short", 21, "BTC/USDT:USDT")

    stands = fleet.standings()

    assert stands.net["BTC"].used == 45
    assert stands.gross.used == Decimal("2.55")
    assert stands.unmarked == 2
    assert fleet.evaluate() == []


def budget_file(directory: Path, text: str) -> Path:
    (directory / "llm.yaml").write_text(text)
    return directory / "manager.yaml"


def used(trader_id: str, tokens: int) -> None:
    DecisionJournal.objects.create(
        trader_id=trader_id,
        config_version=1,
        cycle_number=DecisionJournal.objects.count() + 1,
        decided_at=timezone.now(),
        success=True,
        detail={"usage": {"prompt_tokens": tokens}},
    )


def test_a_strict_budget_holds_flat_traders_first(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.MANAGER_YAML = budget_file(
        tmp_path, "budget:\n  daily_token_limit: 1000\n  alert_threshold_pct: 80\n  strict_enforcement: true\n"
    )
    held("steady_long", "long", 1)
    used("steady_long", 500)
    used("quick_short", 350)
    fleet.evaluate()
    assert paused() == {"steady_long": [], "quick_short": []}
    assert str(Alarm.objects.get(rule="budget").parameters["used"]) == "850"

    used("steady_long", 200)
    fleet.evaluate()
    assert paused() == {"steady_long": [], "quick_short": ["guard:llm_daily_token_limit"]}

    used("steady_long", 200)
    fleet.evaluate()
    assert paused()["steady_long"] == ["guard:llm_daily_token_limit"]


def test_a_budget_that_is_not_strict_only_warns(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.MANAGER_YAML = budget_file(tmp_path, "budget:\n  daily_token_limit: 100\n")
    used("steady_long", 500)

    fleet.evaluate()

    assert paused() == {"steady_long": [], "quick_short": []}
    assert Alarm.objects.filter(rule="budget").count() == 1


@pytest.mark.parametrize("text", ["budget:\n  daily_token_limit: 9000\n", ""])
def test_the_alarm_of_a_budget_ends_when_it_is_raised_or_taken_away(
    tmp_path: Path, settings: SettingsWrapper, text: str
) -> None:
    settings.MANAGER_YAML = budget_file(tmp_path, "budget:\n  daily_token_limit: 100\n")
    used("steady_long", 500)
    fleet.evaluate()

    budget_file(tmp_path, text)
    fleet.evaluate()

    assert Alarm.objects.get(rule="budget").ended_by == "@cause"


def test_the_alarm_of_a_budget_ends_with_its_day(
    tmp_path: Path, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MANAGER_YAML = budget_file(tmp_path, "budget:\n  daily_token_limit: 100\n")
    used("steady_long", 500)
    fleet.evaluate()
    start = timezone.now() + timedelta(hours=12)
    monkeypatch.setattr(fleet, "site_day", lambda now: SiteDay("2026-01-02", start, start + timedelta(days=1)))

    fleet.evaluate(start + timedelta(minutes=1))

    assert Alarm.objects.get(rule="budget").ended_at is not None


def test_limits_that_are_switched_off_hold_nobody_any_more() -> None:
    limits(fleet_max_gross_exposure_x=Decimal(1))
    equity("steady_long", 1_000, 1_000)
    held("steady_long", "long", 30)
    fleet.evaluate()
    assert paused()["steady_long"] == ["guard:fleet_max_gross_exposure_x"]

    limits(fleet_max_gross_exposure_x=Decimal(0))
    fleet.evaluate()

    assert paused() == {"steady_long": [], "quick_short": []}
    assert Alarm.objects.get(rule="guard_fired").ended_by == "@cause"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget: 5\n", "budget must be a mapping, was 5"),
        ("budget:\n  daily_token_limit: many\n", "budget.daily_token_limit must be a number from 0 to"),
        ("budget:\n  strict_enforcement: maybe\n", "budget.strict_enforcement must be true or false, was maybe"),
        ("budget:\n  cost_per_million_tokens:\n    gpt-5: -1\n", "gpt-5 must be a number from 0 to"),
    ],
)
def test_a_wrong_budget_is_refused_by_its_place(tmp_path: Path, text: str, message: str) -> None:
    budget_file(tmp_path, text)

    with pytest.raises(InvalidFile) as refused:
        model_budget(tmp_path)

    assert message in str(refused.value)


def test_prices_give_the_cost_of_tokens(tmp_path: Path) -> None:
    budget_file(tmp_path, "budget:\n  cost_per_million_tokens:\n    gpt-5: 18.0\n")

    budget = model_budget(tmp_path)

    assert budget.cost_usd("gpt-5", 500_000) == 9
    assert budget.cost_usd("another", 1) is None
    assert model_budget(tmp_path / "nowhere").tokens == 0


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("guards", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_where_each_guard_stands() -> None:
    save_edit("steady_long", detail__exec_guards__max_daily_loss_usd=Decimal(500))
    equity("steady_long", 10_000, 9_750)

    lines = said("steady_long")
    assert "Daily loss                               250 USD of 500 USD (50 %)" in lines
    assert "Drawdown                                 off" in lines

    found = {one["guard"]: one for one in json.loads(said("steady_long", "--json"))["guards"]}
    assert found["max_daily_loss_usd"]["share"] == 0.5
    assert found["max_daily_loss_usd"]["setting"] == "detail.exec_guards.max_daily_loss_usd"
    assert "Fleet's gross exposure" in said()


def test_the_command_names_a_trader_that_does_not_exist() -> None:
    with pytest.raises(CommandError, match="nobody"):
        said("nobody")


def test_what_a_paper_variant_loses_or_holds_counts_for_no_limit_of_the_fleet() -> None:
    sync_traders(
        make_trader("steady_long"), make_trader("on_paper", allocation_pct=0, detail__paper_capital_usd=10_000)
    )
    limits(fleet_max_daily_loss_pct=Decimal(5), fleet_max_gross_exposure_x=Decimal(1))
    equity("steady_long", 10_000, 10_000)
    equity("on_paper", 10_000, 1000)
    held("on_paper", "long", 10_000)

    found = fleet.standings()

    assert found.loss.used == 0
    assert not found.gross.is_breached
    assert found.gross.used == 0
