"""The bars of guards at every width, light and dark."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import FLEET, STEADY, check, log_in_as_ada
from tests.factories import make_trader, save_edit, sync_traders
from tests.trading.guards.test_pages import limits, reported
from traders.schema.settings.fleet import FLEET_ID
from trading.guards import services as guards

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.pages
def test_the_bars_of_guards_hold_at_every_width(page: Page) -> None:
    sync_traders(make_trader())
    limits(max_daily_loss_usd=Decimal(500), max_drawdown_pct=Decimal(20), max_errors_in_a_row=5)
    save_edit(FLEET_ID, detail__manager__fleet_max_daily_loss_pct=Decimal(10))
    reported(10_000, 9_400, 9_390, 12)
    guards.evaluate(["steady_long"])
    log_in_as_ada(page)

    page.goto(f"{STEADY}change/")
    expect(page.locator(".guards .breached")).to_have_count(1)
    expect(page.locator(".guards")).to_contain_text("Suspect equity")
    check(page, "guards of a trader")

    page.goto(f"{FLEET}change/")
    expect(page.locator(".guards")).to_contain_text("Fleet's daily loss")
    check(page, "limits of the fleet")
