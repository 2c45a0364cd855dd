"""The change log, undo, and the past, as a person walks through them; and their pages at every width."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import give_reason, log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from tests.factories import make_trader, save_edit, sync_traders
from traders.schema.settings.fleet import FLEET_ID
from traders.templatetags.display import moment_text
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk

pytestmark = pytest.mark.django_db(transaction=True)

TRADERS = "/admin/traders/traderconfig/"
LEVERAGE = "detail.risk.major_coin_leverage"
NAMES = ("steady_long", "quick_short")


@pytest.fixture
def halved() -> int:
    """A bulk edit of two traders, one of which was changed since; its change set."""
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"))
    operations = [
        Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5")),
        Operation("detail.description", BulkVerb.SET, "one\ntwo\nthree"),
    ]
    seen = propose_bulk(trader_ids=NAMES, operations=operations).seen
    saved = save_bulk(trader_ids=NAMES, operations=operations, seen=seen, reason="calmer " * 20, actor="mei")
    save_edit("steady_long", actor="lee", reason="no, fifteen", detail__risk__major_coin_leverage=15)
    save_edit(FLEET_ID, actor="lee", reason="equal shares", detail__manager__allocation_strategy="equal")
    return saved[0].change_set


def test_a_change_set_is_found_opened_and_undone(page: Page, halved: int) -> None:
    person("ada")
    log_in(page, "ada")
    page.get_by_role("link", name="Change log").click()
    page.get_by_label("Words of a setting, or its path").fill("leverage")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".log tbody tr")).to_have_count(2)

    page.get_by_role("link", name=f"View {halved}").click()
    page.get_by_role("link", name="Undo", exact=True).click()
    expect(page.get_by_text("1 setting was changed since.")).to_be_visible()
    page.get_by_label("steady_long, Risk - major coin leverage: undo anyway").check()
    give_reason(page, "it was better before")
    page.get_by_role("button", name="Preview this choice").last.click()
    expect(page.get_by_label("Reason")).to_have_value("it was better before")
    page.get_by_role("button", name="Undo in 2 configurations").click()

    expect(page.get_by_text("Made 2 new versions in this change set.")).to_be_visible()
    assert {configs.existing(name).flat[LEVERAGE] for name in NAMES} == {20}


def test_boxes_are_found_and_ticked_at_once(page: Page, halved: int) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(f"{TRADERS}changes/{halved}/undo/")
    traders = page.get_by_role("group", name="Which configurations")
    traders.get_by_role("button", name="None").click()
    expect(traders.get_by_text("0 / 2 chosen")).to_be_visible()
    traders.get_by_label("Find configurations by words of their ids").fill("quick")
    expect(traders.get_by_label("steady_long")).to_be_hidden()
    traders.get_by_role("button", name="All").click()
    expect(traders.get_by_text("1 / 2 chosen")).to_be_visible()
    page.get_by_role("button", name="Preview this choice").first.click()
    expect(page.get_by_role("heading", name="in 1 configuration")).to_be_visible()
    expect(traders.get_by_label("quick_short")).to_be_checked()
    give_reason(page, "only this one")
    page.get_by_role("button", name="Undo in 1 configuration").click()
    expect(page.get_by_text("Made 1 new version in this change set.")).to_be_visible()
    assert [configs.existing(name).flat[LEVERAGE] for name in NAMES] == [15, 20]


def test_the_fleet_is_seen_as_it_stood_and_restored(page: Page, halved: int) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(f"{TRADERS}changes/{halved}/")
    page.get_by_role("link", name="The fleet before").click()
    expect(page.get_by_text("This is the past")).to_be_visible()
    page.get_by_role("link", name="Steady Long").click()
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    page.go_back()

    with page.expect_download() as bundle:
        page.get_by_role("link", name="Export YAML").click()
    assert re.fullmatch(r"fleet-\d{8}T\d{6}Z\.zip", bundle.value.suggested_filename)
    page.get_by_role("link", name="Restore to this moment").click()
    give_reason(page, "unchanged")
    page.get_by_role("button", name="Restore 3 configurations").click()

    expect(page.get_by_text("Made 3 new versions in this change set.")).to_be_visible()
    assert {configs.existing(name).flat[LEVERAGE] for name in NAMES} == {20}


def test_the_moment_is_picked_above_the_list(page: Page, halved: int) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(TRADERS)
    page.locator("summary", has_text="As of").click()
    page.locator('input[name="at"]').fill("2026-01-08T10:30")
    page.get_by_role("button", name="Show the fleet then").click()
    expect(page.get_by_text("2026-01-08 10:30:00 UTC")).to_be_visible()


@pytest.mark.pages
def test_the_pages_hold_at_every_width(page: Page, halved: int) -> None:
    first = moment_text(configs.version("steady_long", 1).changed_at)
    log_in_as_ada(page)
    for url in (
        *("changes/", "changes/?path=leverage&config=steady_long", "changes/?config=nobody&since=soon"),
        *(f"changes/{halved}/", f"changes/{halved}/undo/", f"restore-to/?at={first}", f"?at={first}"),
        *("?at=2020-01-01", f"steady_long/past/?at={first}", "steady_long/past/?at=2020-01-01"),
    ):
        page.goto(TRADERS + url)
        check(page, url)
