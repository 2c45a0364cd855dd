"""Transfers and corrections in a browser: recorded, shown, and at every width."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import log_in, person
from tests.browser.record_desk import TRADES, record_desk
from tests.browser.test_pages import check, log_in_as_ada
from trading.models import EquityTransfer, Trade

pytestmark = pytest.mark.django_db(transaction=True)

TRANSFERS = "/admin/trading/equitytransfer/"


def newest_trade() -> Trade:
    return Trade.objects.latest("close_ts_ms")


def test_a_deposit_is_recorded_and_found_in_the_list(page: Page) -> None:
    record_desk()
    person("ada")
    page.goto("/admin/login/")
    log_in(page, "ada")
    page.get_by_role("link", name="Transfers").click()
    page.get_by_role("link", name="Add transfer").first.click()
    page.locator("#id_trader").select_option(newest_trade().trader_id)
    page.locator("#id_kind").select_option("deposit")
    page.locator("#id_amount_usd").fill("2500")
    page.locator("#id_reason").fill("capital for the new quarter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("capital for the new quarter")).to_be_visible()
    assert EquityTransfer.objects.get().amount_usd == Decimal(2500)


@pytest.mark.pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_money_hold_at_every_width(page: Page, scheme: str) -> None:
    record_desk()
    log_in_as_ada(page, scheme)
    for name, address in (
        ("no transfers", TRANSFERS),
        ("a new transfer", f"{TRANSFERS}add/"),
        ("a correction", f"{TRADES}{newest_trade().pk}/correct/"),
    ):
        page.goto(address)
        check(page, name, scheme)
