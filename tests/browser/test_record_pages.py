"""The pages of the record at every width, light and dark, as the other pages; and their pictures for docs/."""

from __future__ import annotations

from pathlib import Path

import pytest
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
