"""The record as a blotter: sorted, narrowed by presets and saved filters, walked ticket by ticket, and summed up."""

from __future__ import annotations

import csv
import re

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from tests.browser.sample_record import DECISIONS, TRADES, sample_record
from tests.browser.steps import log_in, person
from trading.models import Trade, VersionResult

pytestmark = pytest.mark.django_db(transaction=True)

PERFORMANCE = f"{TRADES}performance/"


@pytest.fixture(autouse=True)
def _record(page: Page) -> None:
    sample_record()
    person("ada")
    log_in(page, "ada")


def test_trades_are_sorted_by_what_they_earned_and_back(page: Page) -> None:
    worst, best = Trade.objects.order_by("net_pnl").first(), Trade.objects.order_by("-net_pnl").first()
    assert worst is not None
    assert best is not None
    page.goto(TRADES)
    net = page.locator("table.record tbody .c-net").first
    page.get_by_role("link", name="net P&L, USD").click()
    expect(net).to_contain_text(f"{abs(best.net_pnl):,.2f}")
    page.get_by_role("link", name="net P&L, USD").click()
    expect(net).to_contain_text(f"{abs(worst.net_pnl):,.2f}")


def test_a_preset_narrows_and_what_is_shown_is_saved_and_found_again(page: Page) -> None:
    page.goto(TRADES)
    page.get_by_role("navigation", name="Presets").get_by_role("link", name="7 d").click()
    expect(page.get_by_role("navigation", name="Presets").locator("[aria-current]")).to_have_text("7 d")
    page.get_by_label("Result").select_option(label="lost")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**outcome=loss**")
    shown = page.locator(".sums").inner_text()
    page.get_by_text("Save this filter").click()
    page.get_by_label("Name of the filter").fill("losses of the week")
    page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("link", name="losses of the week", exact=True)
    expect(saved).to_be_visible()

    page.goto(TRADES)
    saved.click()
    expect(page.locator(".sums")).to_have_text(re.compile(re.escape(shown.split("\n")[1])))
    assert page.locator(".sums").inner_text() == shown

    page.get_by_role("button", name="Remove the filter “losses of the week”").click()
    expect(saved).to_have_count(0)


def test_a_saved_filter_is_of_one_person(page: Page) -> None:
    other = get_user_model().objects.create_user("lee")
    page.goto(f"{TRADES}?outcome=loss")
    page.get_by_text("Save this filter").click()
    page.get_by_label("Name of the filter").fill("losses")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="losses", exact=True)).to_be_visible()
    assert not other.saved_filters.exists()


def test_tickets_are_walked_and_the_way_back_leads_to_the_list(page: Page) -> None:
    page.goto(DECISIONS)
    page.locator("table.record .c-do a").last.click()
    expect(page.get_by_role("link", name="Older", exact=True)).to_be_visible()
    head = page.locator("h1").inner_text()
    page.get_by_role("link", name="Older", exact=True).click()
    expect(page.locator("h1")).not_to_have_text(head)
    page.get_by_role("link", name="Newer", exact=True).click()
    expect(page.locator("h1")).to_have_text(head)
    page.locator(".crumbs").get_by_role("link", name="Decisions").click()
    expect(page).to_have_url(re.compile(re.escape(DECISIONS)))


def test_performance_is_grouped_and_taken_along(page: Page) -> None:
    page.goto(f"{PERFORMANCE}?period=all")
    rows = page.locator(".figures-of-groups tbody tr")
    expect(rows).to_have_count(Trade.objects.values("trader").distinct().count())
    expect(page.locator(".drawn-chart").first).to_be_visible()
    page.get_by_role("navigation", name="Group by").get_by_role("link", name="version").click()
    expect(rows).to_have_count(VersionResult.objects.filter(trades__gt=0).count())
    with page.expect_download() as download:
        page.get_by_role("link", name="All rows as CSV").click()
    with download.value.path().open(newline="", encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == VersionResult.objects.filter(trades__gt=0).count()
    page.get_by_role("navigation", name="Period").get_by_role("link", name="today").click()
    expect(page.get_by_role("navigation", name="Period").locator("[aria-current]")).to_have_text("today")
