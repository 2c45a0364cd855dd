"""Trades ticked in their list and set aside, looked at, and included again; and how these pages hold at every width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_record import DECISIONS, TRADES, sample_record
from tests.browser.steps import log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from trading.models import DecisionJournal, RecordExclusion, Trade
from trading.record.exclusions import services as exclusions
from trading.schema.exclusion import RecordKey, RecordKind

pytestmark = pytest.mark.django_db(transaction=True)

LOG = "/admin/trading/recordexclusion/"
IMAGES = Path(__file__).parents[2] / "docs" / "images" / "record"


def test_trades_are_ticked_set_aside_and_included_again(page: Page) -> None:
    sample_record()
    person("ada")
    page.goto("/admin/login/")
    log_in(page, "ada")
    page.goto(TRADES)
    for box in page.locator("tbody .c-tick input").all()[:2]:
        box.check()
    expect(page.locator("#selection .chosen")).to_have_text("2 chosen:")
    page.locator("#selection").get_by_role("button", name="Set aside").click()
    expect(page.get_by_role("heading", name="Sets 2 rows aside")).to_be_visible()
    page.get_by_label("Reason").fill("test orders of the exchange")
    page.get_by_role("button", name="Set aside").click()
    expect(page.get_by_text("Set 2 rows aside.")).to_be_visible()
    expect(page.locator(".sums").get_by_role("link", name="2")).to_be_visible()

    page.goto(LOG)
    page.get_by_role("link", name="Include again").first.click()
    page.get_by_label("Reason").fill("it was no test")
    page.get_by_role("button", name="Include again").click()
    expect(page.get_by_text("Included 1 row again.")).to_be_visible()
    assert RecordExclusion.objects.count() == 3
    assert Trade.objects.filter(exclusion__isnull=False).count() == 1


def some_aside() -> dict[str, str]:
    """{name: address} of a page of each kind that shows what was set aside."""
    ids = list(Trade.objects.order_by("-close_ts_ms").values_list("pk", flat=True)[:4])
    decision = DecisionJournal.objects.latest("decided_at")
    keys = [RecordKey(RecordKind.TRADE, name) for name in ids]
    why = "The exchange reported fills of another account; see its incident report of that evening."
    exclusions.set_aside(keys[:3], reason=why, actor="ada")
    exclusions.set_aside(keys[:1], reason="That one was ours after all.", actor="lee", undo=True)
    exclusions.set_aside([RecordKey(RecordKind.DECISION, str(decision.pk))], reason="A rehearsal.", actor="ada")
    return {
        "log": LOG,
        "list": f"{TRADES}?aside=all",
        "only": f"{TRADES}?aside=only",
        "ticket": f"{TRADES}{ids[1]}/",
        "ticket-back": f"{TRADES}{ids[0]}/",
        "decision": f"{DECISIONS}{decision.pk}/",
        "replay": f"{DECISIONS}{decision.pk}/replay/",
        "preview": f"{LOG}set/?kind=trade&id={ids[3]}&id={ids[1]}",
        "undo": f"{LOG}set/?kind=trade&id={ids[1]}&undo=1",
    }


@pytest.mark.pages
def test_pages_of_what_was_set_aside_hold_at_every_width(page: Page) -> None:
    sample_record()
    log_in_as_ada(page)
    for name, address in some_aside().items():
        page.goto(address)
        check(page, name)
        if page.locator("details.config").evaluate_all("all => all.map(one => one.open = true).length"):
            check(page, f"{name}, opened")


@pytest.mark.pictures
def test_what_was_set_aside_is_pictured(page: Page) -> None:
    sample_record()
    log_in_as_ada(page, "light")
    pages = some_aside()
    for name, picture in (("preview", "aside-preview"), ("log", "aside-log")):
        page.goto(pages[name])
        page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
        page.wait_for_timeout(200)  # the theme fades its menu in
        page.set_viewport_size({"width": 1366, "height": 640})
        page.screenshot(path=IMAGES / f"{picture}.png")
