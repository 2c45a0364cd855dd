"""The fleet page in a browser: its curve and marks, quiet updates, a lost connection, and what is wrong without
scrolling. One site and one login serve all of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import log_in, person
from tests.factories import make_trader, save_edit, sync_traders
from traders.schema.messages import _
from traders.schema.moments import now_ms
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.models import EquitySnapshot

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/"
SECONDS_15 = 15_100
HOUR_MS = 3_600_000


def equity(usd: int, hours_ago: float = 0) -> None:
    EquitySnapshot.objects.create(
        trader_id="steady_long", ts_ms=now_ms() - int(hours_ago * HOUR_MS), equity_usd=Decimal(usd)
    )


def is_in_view(found: Locator, height: int) -> bool:
    box = found.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height


def test_the_fleet_page_at_three_in_the_morning(page: Page, browser_problems: list[str]) -> None:
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"))
    for hours in (30, 20, 10, 0.1):
        equity(1000 + int(hours), hours)
    save_edit("steady_long", "mei", "cut leverage", detail__risk__major_coin_leverage=10)
    for number in range(6):
        alarms.raise_alarm(AlarmName.NO_LIVE_STOP, _("no stop"), subject=f"one {number}", traders=["steady_long"])
    person("ada")
    log_in(page, "ada")
    page.clock.install()

    # What is wrong, and what to press, without scrolling.
    for width, height in ((1366, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{PAGE}?range=7d")
        items = page.locator("#overview-attention .items > li")
        expect(items).to_have_count(6)
        shown = 6 if width > 1000 else 3
        assert is_in_view(items.nth(shown - 1), height)
        assert is_in_view(items.first.get_by_role("link", name="Close positions"), height)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    # The curve is drawn; its mark says who and why, and leads to the diff.
    page.set_viewport_size({"width": 1366, "height": 768})
    expect(page.locator("#fleet-equity canvas")).to_be_visible()
    marks = page.locator("#fleet-equity .chart-mark")
    marks.last.scroll_into_view_if_needed()
    marks.last.hover()
    expect(page.locator(".chart-tip")).to_contain_text("mei: cut leverage")

    # It updates by itself, and only what changed: the rest is not touched.
    page.locator("#overview-board th").first.evaluate("head => head.dataset.marked = 'yes'")
    page.mouse.move(5, 5)
    equity(1100)
    alarms.end_alarm(AlarmName.NO_LIVE_STOP, "one 0")
    page.clock.run_for(SECONDS_15)
    expect(page.locator("#overview-figures")).to_contain_text("1,100.00")
    expect(page.locator("#overview-attention .items > li")).to_have_count(5)
    expect(page.locator("#fleet-equity canvas")).to_be_visible()

    # Who types a reason keeps what was typed.
    item = page.locator("#overview-attention .items > li").first
    item.get_by_text("Acknowledge").first.click()
    item.get_by_label("Reason").fill("looks at it")
    alarms.end_alarm(AlarmName.NO_LIVE_STOP, "one 1")
    page.clock.run_for(SECONDS_15)
    expect(item.get_by_label("Reason")).to_have_value("looks at it")
    item.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#overview-attention .known")).to_contain_text("1 acknowledged")

    # A connection that is lost dims the figures and says since when; afterwards they are as before.
    page.route("**/admin/**", lambda route: route.abort())
    page.clock.run_for(SECONDS_15)
    expect(page.get_by_text("The site has not answered since")).to_be_visible()
    expect(page.locator("#overview-figures")).to_have_css("opacity", "0.5")
    page.unroute("**/admin/**")
    page.clock.run_for(SECONDS_15)
    expect(page.locator("#overview-figures")).to_have_css("opacity", "1")
    browser_problems[:] = [problem for problem in browser_problems if "ERR_FAILED" not in problem]

    # Marks that stand together open their list, and one leads to the diff.
    page.locator("#fleet-equity .chart-mark").last.click()
    page.locator("#fleet-equity .chart-marks a").last.click()
    page.wait_for_url("**/changes/**")
