"""The page of a trader in a browser: the curve with its marks, tabs that stay, the form one click away, a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_record import quote_what_is_held, sample_record
from tests.browser.steps import log_in, person
from tests.browser.test_pages import check
from traders.models import TraderConfig
from trading.models import Trade

pytestmark = pytest.mark.django_db(transaction=True)
TRADERS = "/admin/traders/traderconfig/"


def test_a_trader_is_read_and_edited_one_click_away(page: Page) -> None:
    sample_record()
    quote_what_is_held()
    person("ada")
    log_in(page, "ada")
    trader = Trade.objects.latest("close_ts_ms").trader_id
    name = TraderConfig.objects.get(pk=trader).display_name
    page.goto(TRADERS)
    page.get_by_role("link", name=name).click()
    expect(page).to_have_url(re.compile(f"{TRADERS}{trader}/$"))
    page.get_by_role("navigation", name="Range").get_by_role("link", name="all").click()
    expect(page.locator("#trader-equity canvas")).to_be_visible()
    page.locator("#trader-equity .chart-marks summary").click()
    expect(page.locator("#trader-equity .chart-marks a").first).to_have_text(re.compile(r"v\d+"))

    for tab in ("Trades", "Decisions", "Positions", "Overview"):
        page.locator(".tabs").first.get_by_role("link", name=tab, exact=True).click()
        expect(page.locator(".tabs").first.locator('[aria-current="page"]')).to_have_text(tab)
        expect(page.locator(".crumbs code")).to_have_text(trader)

    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("link", name="Stop", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Edit", exact=True).last.click()
    expect(page.get_by_role("button", name="Preview")).to_be_visible()


@pytest.mark.pages
def test_the_page_holds_at_every_width(page: Page) -> None:
    sample_record()
    quote_what_is_held()
    person("ada")
    log_in(page, "ada")
    trader = Trade.objects.latest("close_ts_ms").trader_id
    page.goto(f"{TRADERS}{trader}/?range=all")
    check(page, "the page of a trader")
