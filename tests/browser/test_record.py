"""What a person does with the record: finds a trade, follows it to its decision, replays it, takes a file along."""

from __future__ import annotations

import csv

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_record import OUTCOMES, TRADES, sample_record
from tests.browser.steps import log_in, person
from trading.models import Trade, VersionResult

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _record(page: Page) -> None:
    sample_record()
    person("ada")
    log_in(page, "ada")


def test_a_loss_is_followed_to_the_decision_behind_it(page: Page) -> None:
    trader = str(Trade.objects.filter(net_pnl__lt=0).latest("close_ts_ms").trader_id)
    page.goto(TRADES)
    page.get_by_label("Trader, id or name", exact=True).fill(trader)
    page.get_by_label("Result").select_option(label="lost")
    page.get_by_role("button", name="Show").click()

    lost = Trade.objects.filter(trader=trader, net_pnl__lt=0)
    expect(page.locator("table.record tbody tr")).to_have_count(min(50, lost.count()))
    expect(page.locator(".sums")).to_contain_text(f"Trades{lost.count()}")
    expect(page.locator("table.record .c-net").first).to_contain_text("loss")

    page.get_by_role("link", name="Ticket").first.click()
    expect(page.locator(".verdict")).to_contain_text("−")
    page.get_by_role("link", name="Decision").last.click()
    expect(page.get_by_role("heading", name="What it saw")).to_be_visible()
    page.get_by_role("link", name="Replay").click()
    expect(page.locator(".ticket-head")).to_contain_text("agrees")
    page.get_by_label("Also under version").fill("1")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("rules of v1", exact=True)).to_be_visible()


def test_older_trades_are_one_page_further(page: Page) -> None:
    page.goto(TRADES)
    keys = page.locator("table.record tbody tr td:last-child")
    expect(keys).to_have_count(50)
    first = keys.all_inner_texts()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    expect(keys.first).not_to_have_text(first[0])
    assert not set(keys.all_inner_texts()) & set(first)
    page.get_by_role("link", name="Newer").click()
    expect(keys).to_have_text(first)
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)


def test_what_is_shown_can_be_taken_along(page: Page) -> None:
    page.goto(f"{TRADES}?outcome=gain")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("trades-")
    with download.value.path().open(newline="") as file:
        assert len(list(csv.DictReader(file))) == Trade.objects.filter(net_pnl__gt=0).count()


def test_the_worst_change_is_first_and_the_best_one_click_away(page: Page) -> None:
    ranked = VersionResult.objects.filter(entry_version__gt=0).order_by("net_pnl")
    page.get_by_role("link", name="Changes by result").click()
    worst, best = ranked[0], ranked.reverse()[0]
    expect(page.locator("table.outcomes tbody tr").first).to_contain_text(f"{worst.trader_id} v{worst.entry_version}")
    page.get_by_label("Order").select_option(label="best first")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(f"**{OUTCOMES}?*order=best*")
    expect(page.locator("table.outcomes tbody tr").first).to_contain_text(f"{best.trader_id} v{best.entry_version}")
