"""What engines reported stands on the trader's page: fresh, stale, or not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import save_edit
from tests.rows_from_before import take_rules_away
from tests.traders.admin.browsing import STEADY, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from traders.accounts.rules import Role
from traders.models import TraderRuntimeState, TraderSymbolCooldown
from traders.runtime.rules import State

pytestmark = pytest.mark.usefixtures("fleet")


def report(*, minutes_ago: float = 1, version: int | None = 1, is_running: bool = True, **detail: Any) -> None:
    TraderRuntimeState.objects.filter(pk="steady_long").update(
        active_config_version=version,
        is_running=is_running,
        detail=detail,
        updated_at=timezone.now() - timedelta(minutes=minutes_ago),
    )


def cool_down(symbol: str, *, minutes: float, **detail: Any) -> None:
    until = timezone.now() + timedelta(minutes=minutes, seconds=5)
    TraderSymbolCooldown.objects.create(trader_id="steady_long", symbol=symbol, cooldown_until=until, detail=detail)


def shown(role: Role = Role.VIEWER) -> str:
    return text_of(browser_of(role).get(f"{STEADY}change/"))


def in_minutes(minutes: int) -> str:
    return (timezone.now() + timedelta(minutes=minutes, seconds=5)).isoformat()


@pytest.mark.parametrize("role", Role)
def test_without_a_report_the_page_says_so_and_shows_no_numbers(role: Role) -> None:
    text = shown(role)
    assert "No engine has reported yet." in text
    assert "wanted not started" in text
    assert "Equity" not in text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_a_fresh_report_is_shown_with_its_age(role: Role) -> None:
    save_edit("steady_long", detail__risk__max_positions=4)
    report(
        minutes_ago=2,
        decision={"last_at": in_minutes(-3), "next_at": in_minutes(4)},
        allocation={"equity_usd": 12345.5, "used_margin_usd": 300, "available_margin_usd": 700.25},
        performance={"sharpe_ratio": 1.5, "total_pnl_usd": -150},
        last_error={"message": "order refused", "at": in_minutes(-9)},
    )
    text = shown(role)
    assert "The engine reported 2 min ago ." in text
    assert "stale" not in text
    assert "Active version v1, the latest is v2" in text
    assert "Engine running" in text
    assert "Last decision 2 min ago" in text
    assert "Next decision in 4 min" in text
    assert "Paused no" in text
    assert "Equity, USD 12,345.5" in text
    assert "Used margin, USD 300" in text
    assert "Available margin, USD 700.25" in text
    assert "Total P&L, USD ▼ −150" in text
    assert "Sharpe ratio 1.5" in text
    assert "Last error order refused · 8 min ago" in text


def test_amounts_are_shown_to_the_cent() -> None:
    report(
        allocation={"equity_usd": 9991.8069354818688, "used_margin_usd": 1e12, "available_margin_usd": -0.001},
        performance={"sharpe_ratio": 1.23456, "total_pnl_usd": -5.4002717445312},
    )
    text = shown(Role.VIEWER)
    assert "Equity, USD 9,991.81" in text
    assert "Used margin, USD 1,000,000,000,000" in text
    assert "Total P&L, USD ▼ −5.4" in text
    assert "Sharpe ratio 1.23" in text


def test_an_old_report_is_marked_stale_with_its_age() -> None:
    report(minutes_ago=120, performance={"total_pnl_usd": 20})
    text = shown()
    assert "stale The engine last reported 2 h ago" in text
    assert "Total P&L, USD ▲ +20" in text


def test_a_pause_says_until_when_and_why() -> None:
    report(pause={"until": in_minutes(90), "reason": "drawdown"})
    assert "Paused until in 1 h 30 min : drawdown" in shown()


def test_the_pause_of_a_ban_is_wanted_and_not_reported() -> None:
    report()
    ask("pause", reason="news")
    text = shown()
    assert "Paused no" in text
    assert text.count("paused by mei: news") == 1
    assert "entries_banned" not in text


def test_a_pause_that_is_over_is_none() -> None:
    report(pause={"until": in_minutes(-5), "reason": "drawdown"})
    assert "Paused no" in shown()


def test_what_the_operator_wants_says_who_and_why() -> None:
    ask("stop", reason="<b>news</b>")
    page = browser_of(Role.VIEWER).get(f"{STEADY}change/").content.decode()
    assert "&lt;b&gt;news&lt;/b&gt;" in page
    assert "wanted stopped by mei" in page


@pytest.mark.parametrize(
    "detail",
    [
        {"decision": "soon", "pause": [], "allocation": None, "performance": 7},
        {"decision": {"last_at": 5, "next_at": "0001-01-01T00:00:00Z"}, "pause": {"until": "never"}},
        {"allocation": {"equity_usd": "much"}, "last_error": {"code": 5}, "desired": {"state": True}},
    ],
)
def test_an_engines_odd_values_break_no_page(detail: dict[str, Any]) -> None:
    take_rules_away()
    report(**detail)
    assert "The engine reported" in shown()


def test_cooldowns_are_listed_those_that_hold_first() -> None:
    cool_down("ETH", minutes=-30)
    cool_down("BTC", minutes=45, reason="consecutive_losses", consecutive_losses=3, last_loss_pnl=-50.5)
    page = browser_of(Role.VIEWER).get(f"{STEADY}change/")
    text = text_of(page)
    assert "BTC in 45 min" in text
    assert "consecutive losses 3 ▼ −50.5" in text
    assert text.index("BTC") < text.index("ETH")
    over = page.content.decode().split('<tr class="over">')
    assert len(over) == 2
    assert "ETH" in over[1]


def test_many_cooldowns_are_counted_and_cost_no_more_queries() -> None:
    viewer = browser_of(Role.VIEWER)
    cool_down("BTC", minutes=90)
    viewer.get(f"{STEADY}change/")
    with CaptureQueriesContext(connection) as of_one:
        viewer.get(f"{STEADY}change/")
    for number in range(59):
        cool_down(f"C{number}", minutes=number + 1)
    with CaptureQueriesContext(connection) as of_many:
        page = viewer.get(f"{STEADY}change/")
    assert len(of_many) == len(of_one) <= 34
    assert "and 10 more cooldowns that end earlier" in text_of(page)


def test_other_traders_and_the_fleet_show_none_of_it() -> None:
    cool_down("BTC", minutes=45)
    viewer = browser_of(Role.VIEWER)
    assert b"Cooldowns" not in viewer.get("/admin/traders/traderconfig/quick_short/change/").content
    assert b'runtime"' not in viewer.get("/admin/traders/managerconfig/1/change/").content


@pytest.mark.parametrize(
    "detail",
    [
        "[5]",
        '"text"',
        "null",
        '{"pause": "soon", "decision": [], "performance": {"total_pnl_usd": {"a": []}}, "last_error": [1]}',
        '{"pause": {"until": "9999-12-31T23:59:59-12:00"}, "decision": {"last_at": "9999-12-31T23:59:59-12:00"}}',
    ],
)
def test_a_report_that_is_none_stops_no_page(detail: str) -> None:
    take_rules_away()
    report()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trader_runtime_state SET detail = %s, updated_at = 'infinity' WHERE trader_id = 'steady_long'",
            [detail],
        )
        cursor.execute(
            "INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail)"
            " VALUES ('steady_long', 'BTC', 'infinity', '[]'), ('steady_long', 'ETH', '-infinity', '{}')"
        )
    viewer = browser_of(Role.VIEWER)

    for page in (f"{STEADY}change/", "/admin/traders/traderconfig/", "/admin/"):
        assert viewer.get(page).status_code == 200
    for state in State:
        assert viewer.get(f"/admin/traders/traderconfig/?state={state}").status_code == 200
