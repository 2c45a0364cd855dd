"""The live page in a browser: it looks again by itself, and holds at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import VIEWPORT
from tests.browser.sample_record import LIVE
from tests.browser.steps import log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from tests.live_factories import ago, make_price
from tests.trading.live import big_fleet
from trading.live import services as live
from trading.live.switch import services as live_switch
from trading.live.upkeep import verify as live_verify

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS_5 = 5_100
STORE = f"{LIVE}store/"


def test_prices_move_without_a_reload_until_one_says_stop(page: Page) -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    live.quoted({"BTC": make_price("46000.5")})
    person("ada")
    log_in(page, "ada")
    page.clock.install()
    page.goto(LIVE)
    page.locator("#live-state").evaluate("state => state.dataset.marked = 'yes'")
    prices = page.locator("#live-prices")
    expect(prices).to_contain_text("46,000.5")

    live.quoted({"BTC": make_price("47000.5")})
    page.clock.run_for(SECONDS_5)
    expect(prices).to_contain_text("47,000.5")

    page.get_by_label("refresh every 5 seconds").uncheck()
    live.quoted({"BTC": make_price("48000.5")})
    page.clock.run_for(2 * SECONDS_5)
    expect(prices).to_contain_text("47,000.5")
    expect(page.locator("#live-state[data-marked]")).to_have_count(1)


def test_of_two_who_switch_the_second_is_told(page: Page, browser: Browser) -> None:
    big_fleet.fill(2)
    live.rebuild_all()
    live_switch.rollback()
    for name in ("ada", "mei"):
        person(name)
    log_in(page, "ada")
    base_url = page.url.partition("/admin")[0]
    with browser.new_context(base_url=base_url, viewport=VIEWPORT) as other:  # type: ignore[arg-type]
        meis = other.new_page()
        log_in(meis, "mei")
        page.goto(STORE)
        meis.goto(STORE)
        meis.get_by_label("Read the new layout for").select_option("50 %")
        meis.get_by_role("button", name="Set share").click()
        expect(meis.get_by_text("Mode: dual, 50 %")).to_be_visible()

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Back to the old layout").click()
    expect(page.get_by_text("The mode changed meanwhile: it is now dual, 50 %")).to_be_visible()
    assert live_switch.current().read_new_pct == 50

    # The page now shows the mode of now, and the same button works.
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Back to the old layout").click()
    expect(page.get_by_text("Mode: legacy")).to_be_visible()


@pytest.mark.pages
def test_it_holds_at_every_width(page: Page) -> None:
    log_in_as_ada(page)
    page.goto(LIVE)
    check(page, "empty live page")
    big_fleet.fill(5)
    live.rebuild_all()
    live.quoted({"BTC": make_price(), "hyperliquid:BTC": make_price(as_of=ago(90)), "ETH": make_price(as_of=ago(90))})
    live_switch.rollback()
    live_verify.verify()

    page.goto(LIVE)
    check(page, "live page", is_main=True)
    page.goto(STORE)
    check(page, "live store")
