"""What was typed comes back: after a login, a step back, a link, a crash; and never to another person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import VIEWPORT
from tests.browser.steps import OWN, PASSWORD, give_reason, log_in, log_out, open_trader, person
from tests.factories import save_edit
from traders.models import AccountSession, FormDraft, TraderConfigVersion

pytestmark = pytest.mark.django_db(transaction=True)

TRADER = "majors_momentum"
URL = f"/admin/traders/traderconfig/{TRADER}/change/"


@pytest.fixture
def form(page: Page) -> Page:
    """The form of a trader, with two changes and a reason typed."""
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    open_trader(page, TRADER)
    type_changes(page)
    return page


def type_changes(page: Page) -> None:
    page.get_by_label("Max positions", exact=True).fill("4")
    page.get_by_label("Description").fill("for the\nquiet hours")
    give_reason(page, "room for one more")
    expect(page.locator("[data-changes]")).to_contain_text("Max positions")
    # The entry is written a moment after the last key.
    page.wait_for_function("localStorage.length && Object.values(localStorage).join().includes('room for one more')")


def expect_restored(page: Page, *, says: bool = True) -> None:
    expect(page.get_by_label("Max positions", exact=True)).to_have_value("4")
    expect(page.get_by_label("Description")).to_have_value("for the\nquiet hours")
    expect(page.get_by_label("Reason")).to_have_value("room for one more")
    expect(page.locator("[data-changes]")).to_contain_text("Max positions")
    if says:
        expect(page.locator('[data-draft="restored"]')).to_contain_text("what you typed and did not save")


def expect_fresh(page: Page) -> None:
    expect(page.get_by_label("Reason")).to_have_value("")
    expect(page.get_by_label("Max positions", exact=True)).not_to_have_value("4")
    expect(page.locator(".notice.draft:visible")).to_have_count(0)


def preview(page: Page) -> None:
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Version 2 would change 2 settings")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_text("Saved version 2.")).to_be_visible()


def kept_in_browser(page: Page) -> list[str]:
    found: list[str] = page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('nof0.draft.'))")
    return found


def test_a_link_elsewhere_a_step_back_and_a_reload_lose_nothing(form: Page) -> None:
    form.get_by_role("link", name="History", exact=True).click()
    form.get_by_role("link", name="Edit", exact=True).click()
    expect_restored(form)

    preview(form)
    form.reload()
    expect(form.get_by_role("heading", name="Version 2 would change 2 settings")).to_be_visible()
    form.go_back()
    expect_restored(form)
    form.go_forward()
    form.get_by_role("button", name="Back to the form").click()
    expect_restored(form, says=False)


def test_after_the_save_nothing_is_left_and_back_asks_nothing(form: Page) -> None:
    preview(form)
    save(form)
    assert kept_in_browser(form) == []
    form.locator(".said").get_by_role("link", name="Undo").click()
    expect(form.locator(".changes")).to_contain_text("Risk - max positions")

    form.go_back()
    form.go_back()
    expect(form.get_by_text("These changes were saved")).to_be_visible()
    open_trader(form, TRADER)
    expect(form.get_by_label("Max positions", exact=True)).to_have_value("4")
    expect(form.get_by_label("Reason")).to_have_value("")
    assert TraderConfigVersion.objects.filter(id=TRADER).count() == 2


def test_a_session_that_ended_leads_through_the_login_back_to_what_was_typed(form: Page) -> None:
    AccountSession.objects.all().delete()

    form.get_by_role("button", name="Preview").click()
    form.get_by_label("Username").fill("ada")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Log in").click()

    expect_restored(form)
    preview(form)


def test_a_login_in_another_tab_leads_back_to_what_was_typed(
    form: Page, context: BrowserContext, browser_problems: list[str]
) -> None:
    AccountSession.objects.all().delete()
    other = context.new_page()
    log_in(other, "ada")

    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_text("The form belongs to an earlier login.")).to_be_visible()
    browser_problems.clear()
    form.get_by_role("link", name="Open the form again").click()

    expect_restored(form)
    preview(form)


def test_a_crash_loses_nothing(form: Page, context: BrowserContext) -> None:
    form.close(run_before_unload=False)

    page = context.new_page()
    open_trader(page, TRADER)

    expect_restored(page)
    preview(page)
    save(page)
    assert kept_in_browser(page) == []


def test_a_discarded_draft_stays_away(form: Page) -> None:
    preview(form)
    form.go_back()
    expect_restored(form)

    form.get_by_role("button", name="Discard").click()

    expect_fresh(form)
    form.reload()
    expect_fresh(form)
    assert not FormDraft.objects.exists()


def test_a_draft_of_an_older_version_is_shown_beside_the_newer_one(form: Page) -> None:
    form.goto("/admin/")
    save_edit(TRADER, detail__risk__max_positions=5)

    open_trader(form, TRADER)
    expect(form.get_by_label("Max positions", exact=True)).to_have_value("5")
    form.get_by_role("button", name="Show them").click()
    expect_restored(form, says=False)
    form.get_by_role("button", name="Preview").click()

    expect(form.get_by_text("1 setting was changed on both sides")).to_be_visible()


def test_logging_out_clears_the_browser(form: Page) -> None:
    assert kept_in_browser(form)

    log_out(form)

    assert kept_in_browser(form) == []


def test_another_person_at_the_same_browser_sees_nothing(form: Page, context: BrowserContext) -> None:
    person("mei")
    context.clear_cookies()

    log_in(form, "mei")
    open_trader(form, TRADER)

    expect_fresh(form)
    assert kept_in_browser(form) == []


def test_two_tabs_keep_a_text_each(form: Page, context: BrowserContext) -> None:
    other = context.new_page()
    open_trader(other, TRADER)
    expect_restored(other)
    other.get_by_label("Max positions", exact=True).fill("6")
    other.wait_for_timeout(400)

    form.reload()
    expect_restored(form)
    other.reload()
    expect(other.get_by_label("Max positions", exact=True)).to_have_value("6")


@pytest.fixture
def without_storage(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A browser that refuses to store anything."""
    options: Any = {"base_url": live_server.url, "viewport": VIEWPORT}
    with browser.new_context(**options) as context:
        context.add_init_script(
            "for (const name of ['localStorage', 'sessionStorage'])"
            " Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } });"
        )
        yield context.new_page()


def test_without_storage_the_form_works_and_the_preview_is_offered(without_storage: Page) -> None:
    page = without_storage
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    open_trader(page, TRADER)
    page.get_by_label("Max positions", exact=True).fill("4")
    give_reason(page, "room for one more")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Version 2 would change 1 setting")).to_be_visible()

    open_trader(page, TRADER)
    page.get_by_role("link", name="Show them").click()

    expect(page.get_by_role("heading", name="Version 2 would change 1 setting")).to_be_visible()


def test_prompts_bulk_edits_and_controls_come_back(form: Page) -> None:
    form.goto("/admin/traders/prompttext/add/")
    form.get_by_label("Path").fill("prompts/new.tmpl")
    form.get_by_label("Text", exact=True).fill("Buy at dawn.")
    form.goto(f"/admin/traders/traderconfig/bulk/?trader={TRADER}")
    form.locator("select[name=add]").select_option("detail.risk.max_positions")
    form.get_by_role("button", name="Add").click()
    form.locator('[name="op-0-value"]').fill("7")
    give_reason(form, "all alike")
    form.goto("/admin/")

    form.goto("/admin/traders/prompttext/add/")
    expect(form.get_by_label("Text", exact=True)).to_have_value("Buy at dawn.")
    form.goto(f"/admin/traders/traderconfig/bulk/?trader={TRADER}")
    form.get_by_role("button", name="Show them").click()
    expect(form.locator('[name="op-0-value"]')).to_have_value("7")
    expect(form.get_by_label("Reason")).to_have_value("all alike")

    # A control keeps its reason, and never the word that confirms it.
    address = f"/admin/traders/traderconfig/control/close/?trader={TRADER}"
    form.goto(address)
    give_reason(form, "the exchange is closing")
    if (word := form.locator('[name="word"]')).count():
        word.fill("close all")
    form.goto("/admin/")

    form.goto(address)

    expect(form.get_by_label("Reason")).to_have_value("the exchange is closing")
    expect(form.locator('[name="word"]')).to_have_value("")
