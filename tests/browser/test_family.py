"""A paper variant made, compared with its original, and its settings taken."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.steps import OWN, give_reason, log_in, open_trader, person
from tests.browser.test_pages import check, log_in_as_ada
from tests.factories import save_edit
from tests.trading.bad_rows import add_equity
from tests.trading.family.family_record import make_family
from tests.trading_factories import HOUR_MS, OPENED_MS
from traders.versions import services as configs

pytestmark = pytest.mark.django_db(transaction=True)
TRADER = "majors_momentum"


def test_a_variant_is_made_compared_and_its_settings_are_taken(page: Page) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    open_trader(page, TRADER)
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Clone as paper variant").click()
    expect(page.get_by_label("Paper capital, USD")).to_have_value("8750.00")
    page.get_by_label("Id", exact=True).fill("momentum_paper")
    give_reason(page, "try a lower confidence")
    page.get_by_role("button", name="Make the variant").click()
    expect(page.get_by_text("Made momentum_paper, version 1.")).to_be_visible()
    save_edit("momentum_paper", detail__risk__min_confidence=60)
    for hour in range(8):
        add_equity(TRADER, str(8750 + hour), ts_ms=OPENED_MS + hour * HOUR_MS)
        add_equity("momentum_paper", str(8750 + 9 * hour), ts_ms=OPENED_MS + hour * HOUR_MS)

    page.reload()
    page.get_by_role("link", name="Side by side").click()
    expect(page.get_by_role("heading", name=f"{TRADER} and its clones, side by side")).to_be_visible()
    expect(page.locator("#family-index canvas")).to_be_visible()
    expect(page.locator("#family-index .u-series")).to_have_count(3)  # the time and two traders
    page.get_by_role("button", name="Take the settings of momentum_paper").click()
    expect(page.locator('[data-path="detail.risk.min_confidence"]')).to_contain_text("60")
    page.get_by_role("button", name="Save version 2").click()

    expect(page.get_by_text("Saved version 2.")).to_be_visible()
    saved = configs.existing(TRADER)
    assert (saved.flat["detail.risk.min_confidence"], saved.reason) == (60, "Settings of momentum_paper v2")
    assert saved.flat["allocation_pct"] == 35


@pytest.mark.pages
def test_the_comparison_holds_at_every_width(page: Page) -> None:
    make_family()
    log_in_as_ada(page)
    page.goto("/admin/trading/trade/family/steady_long/")
    check(page, "a trader and its variant, side by side")
    page.goto("/admin/trading/trade/family/other/")
    check(page, "a trader without clones, side by side")
