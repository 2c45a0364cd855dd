"""The pages of the record at every width, light and dark, as the other pages; and their pictures for docs/."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.desk import log_in, person
from tests.browser.record_desk import (
    DECISIONS,
    LIVE,
    OUTCOMES,
    POSITIONS,
    TRADES,
    quote_what_is_held,
    record_desk,
    record_pages,
)
from tests.browser.test_pages import check, log_in_as_ada
from tests.trading.bad_rows import add_decision, add_equity, add_trade, decision_detail, trade_detail
from traders.models import TraderConfig

pytestmark = pytest.mark.django_db(transaction=True)

IMAGES = Path(__file__).parents[2] / "docs" / "images" / "record"
PICTURED = ("trades", "trade", "position", "decision", "results", "outcomes", "replay", "live")


@pytest.mark.pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_record_holds_at_every_width(page: Page, scheme: str) -> None:
    record_desk()
    log_in_as_ada(page, scheme)
    for name, address in record_pages().items():
        page.goto(address)
        check(page, name, scheme)
        opened = page.locator("details.config").evaluate_all("all => all.map(one => one.open = true).length")
        if opened:
            check(page, f"{name}, opened", scheme)
    for address in (f"{TRADES}?trader=nobody&version=x", f"{DECISIONS}?outcome=failed", f"{OUTCOMES}?change_set=1"):
        page.goto(address)
        check(page, address, scheme)


@pytest.mark.pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_beside_unreadable_rows_hold_at_every_width(page: Page, scheme: str) -> None:
    record_desk()
    trader = str(TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[0])
    bad = add_trade(trader, trade_detail(fills={"no": "list"}))
    unknown = add_trade(trader, trade_detail(build={"sha": "9f" * 60}), number=2)
    decision = add_decision(trader, decision_detail(usage="none"), decided_at="2026-11-21T00:00:00Z")
    add_equity(trader, "NaN")
    log_in_as_ada(page, scheme)
    for address in (
        *("/admin/trading/trade/unreadable/", TRADES, DECISIONS),
        *(reverse("admin:trading_trade_change", args=[row_id]) for row_id in (bad, unknown)),
        reverse("admin:trading_decisionjournal_change", args=[decision]),
    ):
        page.goto(address)
        page.locator("details.config").evaluate_all("all => all.map(one => one.open = true)")
        check(page, address, scheme)


@pytest.mark.pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_empty_pages_of_the_record_hold_too(page: Page, scheme: str) -> None:
    log_in_as_ada(page, scheme)
    for address in (TRADES, POSITIONS, DECISIONS, OUTCOMES):
        page.goto(address)
        check(page, f"empty {address}", scheme)


@pytest.mark.pictures
def test_the_record_is_pictured(page: Page) -> None:
    record_desk(traders=6, days=30, trades=900)
    person("ada")
    log_in(page, "ada")
    pages = {**record_pages(), "live": LIVE}
    quote_what_is_held()
    for name in PICTURED:
        page.goto(pages[name])
        page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
        page.wait_for_timeout(200)  # the theme fades its menu in
        page.screenshot(path=IMAGES / f"{name}.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(TRADES)
    page.screenshot(path=IMAGES / "trades-phone.png")
