"""The pages of the record at every width, light and dark, as the other pages; and their pictures for docs/."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.sample_record import (
    DECISIONS,
    LIVE,
    OUTCOMES,
    POSITIONS,
    TRADES,
    quote_what_is_held,
    record_pages,
    sample_record,
)
from tests.browser.steps import log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from tests.trading.bad_rows import add_decision, add_equity, add_trade, decision_detail, trade_detail
from traders.models import TraderConfig
from trading.export.status import alarms as alarm_status
from trading.export.status.alarms import AlarmStatus

pytestmark = pytest.mark.django_db(transaction=True)

IMAGES = Path(__file__).parents[2] / "docs" / "images" / "record"
MOST_HEIGHT = 1100
MAIN_PAGES = {"trades", "trade", "positions", "decisions"}
PICTURED = ("trades", "trade", "position", "decision", "results", "changes-by-result", "replay", "live", "performance")


@pytest.mark.pages
def test_every_page_of_the_record_holds_at_every_width(page: Page) -> None:
    sample_record()
    log_in_as_ada(page)
    for name, address in record_pages().items():
        page.goto(address)
        check(page, name, is_main=name in MAIN_PAGES)
        opened = page.locator("details.config").evaluate_all("all => all.map(one => one.open = true).length")
        if opened:
            check(page, f"{name}, opened")
    for address in (f"{TRADES}?trader=nobody&version=x", f"{DECISIONS}?outcome=failed", f"{OUTCOMES}?change_set=1"):
        page.goto(address)
        check(page, address)


@pytest.mark.pages
def test_pages_beside_unreadable_rows_hold_at_every_width(page: Page) -> None:
    sample_record()
    trader = str(TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[0])
    bad = add_trade(trader, trade_detail(fills={"no": "list"}))
    unknown = add_trade(trader, trade_detail(build={"sha": "9f" * 60}), number=2)
    decision = add_decision(trader, decision_detail(usage="none"), decided_at="2026-11-21T00:00:00Z")
    add_equity(trader, "NaN")
    log_in_as_ada(page)
    for address in (
        *("/admin/trading/trade/unreadable/", TRADES, DECISIONS),
        *(reverse("admin:trading_trade_change", args=[row_id]) for row_id in (bad, unknown)),
        reverse("admin:trading_decisionjournal_change", args=[decision]),
    ):
        page.goto(address)
        page.locator("details.config").evaluate_all("all => all.map(one => one.open = true)")
        check(page, address)


@pytest.mark.pages
def test_empty_pages_of_the_record_hold_too(page: Page) -> None:
    log_in_as_ada(page)
    for address in (TRADES, POSITIONS, DECISIONS, OUTCOMES):
        page.goto(address)
        check(page, f"empty {address}")


@pytest.mark.pictures
def test_the_record_is_pictured(page: Page, tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path
    alarm_status.write(tmp_path, AlarmStatus(at=time.time()))
    sample_record(traders=6, days=30, trades=900)
    person("ada")
    log_in(page, "ada")
    pages = {**record_pages(), "live": LIVE}
    quote_what_is_held()
    for name in PICTURED:
        page.goto(pages[name])
        page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
        page.wait_for_timeout(200)  # the theme fades its menu in
        page.screenshot(path=IMAGES / f"{name}.png")
    most_traded = f"/admin/traders/traderconfig/{TraderConfig.objects.earliest('pk').pk}/?range=30d"
    for name, address in (("overview", "/admin/?range=30d"), ("trader", most_traded)):
        page.set_viewport_size({"width": 1366, "height": MOST_HEIGHT})
        page.goto(address)
        expect(page.locator(".chart-canvas canvas").first).to_be_visible()
        page.wait_for_timeout(200)
        page.screenshot(path=IMAGES.parent / f"{name}.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(TRADES)
    page.screenshot(path=IMAGES / "trades-phone.png")
