"""Stop, fleet stop, pin and retire in a browser, as an operator, a viewer and on a phone; all pages at every width."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, give_reason, log_in
from tests.browser.test_pages import SCHEMES, check, show_in
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.people import account
from tests.traders.controls.asking import TRADER, ask, ask_fleet, effect, in_minutes
from tests.trading_factories import make_position
from traders.accounts.rules import Role
from traders.controls.pages.urls import IN_ORDER
from traders.controls.wanted import wanted_of_one
from trading.record.writing.positions import open_position
from trading.schema.common import Side

pytestmark = pytest.mark.django_db(transaction=True)
TRADERS = "/admin/traders/traderconfig/"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def _fleet() -> None:
    if not Group.objects.filter(name=Role.OPERATOR).exists():
        pytest.fail("the roles are missing")
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))
    for symbol in ("BTC", "ETH"):
        open_position(trader_id=TRADER, symbol=symbol, side=Side.LONG, detail=make_position())


def enter(page: Page, role: Role) -> None:
    account(role, password=PASSWORD)
    log_in(page, role.value.lower())


def test_an_operator_stops_a_trader_with_one_click_and_one_confirm(page: Page) -> None:
    enter(page, Role.OPERATOR)
    page.goto(f"{TRADERS}{TRADER}/change/")
    page.get_by_role("link", name="Stop", exact=True).click()
    expect(page.get_by_text("2 positions stay open")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("wanted stopped by operator")).to_be_visible()
    assert effect() == "stopped"


def test_the_fleet_is_stopped_on_a_phone_and_released(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    enter(page, Role.OPERATOR)
    page.get_by_role("link", name="Stop the fleet").click()
    page.get_by_role("button", name="Stop the fleet").click()
    strip = page.locator(".fleet-strip")
    expect(strip).to_contain_text("by operator")
    expect(strip).to_contain_text("emergency")
    assert effect() == "entries_banned"
    strip.get_by_role("link", name="Release").click()
    give_reason(page, "calm again")
    page.get_by_label("To confirm, type: release").fill("release")
    page.get_by_role("button", name="Release the fleet").click()
    expect(strip).to_have_count(0)
    assert effect(minutes=60) == "running"


def test_nothing_covers_who_stopped_the_fleet(page: Page) -> None:
    enter(page, Role.VIEWER)
    ask_fleet("stop", actor="mei")
    for width in (390, 768, 1366):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(TRADERS)
        said = page.locator(".fleet-strip b")
        expect(said).to_be_visible()
        assert said.evaluate(
            """node => { const box = node.getBoundingClientRect();
                const top = document.elementFromPoint(box.left + 3, box.top + box.height / 2);
                return top === node; }"""
        ), width


def test_a_version_is_pinned_from_the_history(page: Page) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    enter(page, Role.OPERATOR)
    page.goto(f"{TRADERS}{TRADER}/history/")
    page.get_by_role("link", name="Pin v1").click()
    give_reason(page, "it was good")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_text("Pinned to v1: newer versions will not run.")).to_be_visible()
    assert wanted_of_one(TRADER).pinned_version == 1


def test_a_trader_is_stopped_and_pinned_on_a_phone(page: Page) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    enter(page, Role.OPERATOR)
    page.goto(f"{TRADERS}{TRADER}/change/")
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("wanted stopped by operator")).to_be_visible()
    page.get_by_role("link", name="Pin", exact=True).click()
    page.get_by_label("Version").fill("1")
    give_reason(page, "it was good")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_text("Pinned to v1: newer versions will not run.")).to_be_visible()
    assert (effect(), wanted_of_one(TRADER).pinned_version) == ("stopped", 1)


@pytest.mark.parametrize("width", [1366, 390])
def test_retiring_a_trader_with_open_positions_asks_what_becomes_of_them(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    enter(page, Role.OPERATOR)
    page.goto(f"{TRADERS}retire/?trader={TRADER}")
    expect(page.get_by_text("2 positions stay open")).to_be_visible()
    expect(page.get_by_label("Drain, then retire")).to_be_checked()
    page.get_by_label("Close, then retire").check()
    give_reason(page, "it loses")
    page.get_by_role("button", name="Retire 1 trader").click()
    expect(page.get_by_text("Type: close all").first).to_be_visible()
    page.get_by_label("Close, then retire").check()
    page.get_by_label("To confirm, type: close all").fill("close all")
    give_reason(page, "it loses")
    page.get_by_role("button", name="Retire 1 trader").click()
    expect(page.get_by_text("Retired 1 trader.")).to_be_visible()
    assert len(wanted_of_one(TRADER).closes[0].detail["positions"]) == 2
    page.goto(f"{TRADERS}{TRADER}/change/")
    expect(page.get_by_text("Retired, and 2 positions are still open.")).to_be_visible()


@pytest.mark.parametrize("width", [1366, 390])
def test_a_viewer_sees_the_stop_and_has_no_button(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    ask_fleet("stop")
    enter(page, Role.VIEWER)
    page.goto(f"{TRADERS}{TRADER}/change/")
    expect(page.locator(".fleet-strip")).to_contain_text("by mei")
    expect(page.get_by_role("link", name="Release")).to_have_count(0)
    expect(page.get_by_role("link", name="Stop", exact=True)).to_have_count(0)


@pytest.mark.pages
def test_the_pages_hold_at_every_width(page: Page) -> None:
    ask("pause", reason="news of an outage at the exchange")
    ask("cooldown", symbol="BTC", until=in_minutes(30))
    save_edit(TRADER, detail__risk__max_positions=5)
    ask("pin", version=1)
    enter(page, Role.OPERATOR)
    pages = {
        "trader": f"{TRADERS}{TRADER}/change/",
        **{kind.value: f"{TRADERS}control/{kind}/?trader={TRADER}&trader=quick_short" for kind in IN_ORDER},
        "fleet": f"{TRADERS}fleet-stop/",
        "fleet-close": f"{TRADERS}fleet-close/",
        "retire": f"{TRADERS}retire/?trader={TRADER}",
        "live": "/admin/trading/position/live/",
        "log": "/admin/traders/tradercontrol/",
        "list": TRADERS,
    }
    for stopped in (False, True):
        if stopped:
            ask_fleet("stop")
            pages = {name: url for name, url in pages.items() if name in ("trader", "fleet", "live", "list")}
            pages["release"] = f"{TRADERS}fleet-release/"
        for name, url in pages.items():
            page.goto(url)
            check(page, name)
            _picture(page, f"{name}{'-stopped' if stopped else ''}")


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("CONTROL_PICTURES"):
        for width, height in ((1366, 768), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                show_in(page, scheme)
                page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png")
