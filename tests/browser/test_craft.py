"""What every page has: times in the viewer's zone, colours of gains, the search, and what the keyboard needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PATIENCE_MS, VIEWPORT
from tests.browser.steps import log_in, person
from tests.browser.test_pages import serious_violations
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask_fleet

pytestmark = pytest.mark.django_db(transaction=True)

TRADERS = "/admin/traders/traderconfig/"
STEADY = f"{TRADERS}steady_long/"


@pytest.fixture
def fleet() -> None:
    sync_traders(make_trader(), *(make_trader(f"trader_{number}", allocation_pct=0) for number in range(30)))
    save_edit("steady_long", detail__risk__max_positions=7)


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A browser in Shanghai, whose language writes times with AM and PM."""
    context = browser.new_context(
        base_url=live_server.url,
        viewport=VIEWPORT,  # type: ignore[arg-type]
        locale="en-US",
        timezone_id="Asia/Shanghai",
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.mark.usefixtures("fleet")
def test_times_are_those_of_the_browser_until_the_account_chooses_another_zone(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(f"{STEADY}history/")
    when = page.locator(".c-when time").first
    expect(when).to_have_attribute("title", re.compile(r"UTC\+8$"))
    expect(when).to_have_text(re.compile(r"^\d\d:\d\d, just now$"))
    page.goto("/admin/preferences/")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your preferences are saved.")).to_be_visible()
    page.goto(f"{STEADY}history/")
    expect(when).to_have_attribute("title", re.compile(r"UTC-[45]$"))


@pytest.mark.usefixtures("fleet")
def test_a_field_of_a_time_has_24_hours_and_the_browsers_picker_fills_it(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(f"{TRADERS}changes/?since=2026-01-08T10:30:00Z")
    since = page.get_by_label("From")
    expect(since).to_have_value("2026-01-08 18:30")
    assert since.evaluate("field => field.scrollWidth <= field.clientWidth"), "the time is cut"
    button = page.get_by_role("button", name="Choose a date and time").first
    expect(button).to_be_visible()
    page.locator(".pick-place input").first.evaluate(
        "picker => { picker.value = '2026-01-09T21:05'; picker.dispatchEvent(new Event('input')); }"
    )
    expect(since).to_have_value("2026-01-09 21:05")
    expect(page.get_by_text("Asia/Shanghai").first).to_be_visible()


def test_gains_are_red_for_who_wants_them_red(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto("/admin/preferences/")

    def colours() -> tuple[str, str]:
        ink = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
        return page.evaluate(ink, "--gain"), page.evaluate(ink, "--loss")

    before = colours()
    page.get_by_label("Red up, green down").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your preferences are saved.")).to_be_visible()
    assert colours() == before[::-1]
    assert not serious_violations(page)


@pytest.mark.usefixtures("fleet")
def test_the_search_is_worked_by_the_keyboard(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(TRADERS)
    page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
    for keys in ("Control+k", "/"):
        page.keyboard.press(keys)
        dialog = page.get_by_role("dialog", name="Search")
        expect(dialog).to_be_visible()
        field = dialog.get_by_role("combobox")
        expect(field).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    field.fill("trader_2")
    options = dialog.get_by_role("option")
    expect(options).to_have_count(8)
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(dialog.get_by_role("status")).to_have_text("8 found")
    assert not serious_violations(page)
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id") or "")
    field.fill("nothing like it")
    expect(dialog.get_by_role("status")).to_have_text("Nothing is found for “nothing like it”.")
    field.fill("steady_long v2")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{STEADY}versions/2/")


def test_slash_stays_a_letter_in_a_field(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto("/admin/find/")
    page.get_by_role("searchbox").fill("")
    page.keyboard.type("a/b")
    expect(page.get_by_role("searchbox")).to_have_value("a/b")
    expect(page.locator("dialog.find")).to_have_count(0)


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("address", [TRADERS, "/admin/auth/user/"])
def test_the_first_tab_leads_past_the_menus_and_the_focus_is_seen(page: Page, address: str) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(address)
    page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    expect(skip).to_be_focused()
    assert (skip.bounding_box() or {"width": 0})["width"] > 20
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    is_inside = "() => document.getElementById('content').contains(document.activeElement)"
    assert page.evaluate(is_inside)
    ring = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(ring) == "solid"


@pytest.mark.usefixtures("fleet")
def test_the_head_of_a_table_and_the_bar_of_a_selection_stay_in_view(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(TRADERS)
    page.locator(".traders tbody input[type=checkbox]").first.check()
    page.mouse.wheel(0, 600)
    # The wheel scrolls on for a moment.
    page.wait_for_function("() => scrollY > 300")
    page.wait_for_function(
        "() => Math.abs(document.querySelectorAll('.traders thead th')[1].getBoundingClientRect().y) <= 1"
    )
    bar = page.locator(".selection").bounding_box()
    assert bar
    assert bar["y"] + bar["height"] <= VIEWPORT["height"] + 1


@pytest.mark.usefixtures("fleet")
def test_the_bar_that_saves_stays_in_view(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    page.goto(f"{STEADY}change/")
    button = page.get_by_role("button", name="Preview").bounding_box()
    assert button
    assert button["y"] + button["height"] <= VIEWPORT["height"]


@pytest.mark.usefixtures("fleet")
def test_the_bars_cover_neither_each_other_nor_the_field_with_the_focus(page: Page) -> None:
    person("ada")
    ask_fleet("stop")
    log_in(page, "ada")
    page.goto(f"{STEADY}change/")
    page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
    expect(page.locator(".fleet-strip")).to_be_visible()
    is_seen = """one => { const box = one.getBoundingClientRect();
        return document.elementFromPoint(box.left + 8, box.top + box.height / 2) === one; }"""
    assert page.get_by_role("button", name="Preview").evaluate(is_seen)
    page.get_by_label("Display name").focus()
    hidden = []
    for _press in range(40):
        page.keyboard.press("Tab")
        field = page.locator(".edit .parts :is(input, select, textarea):focus")
        if field.count() and not field.evaluate(is_seen):
            hidden.append(field.get_attribute("name"))
    assert hidden == []


def test_nothing_moves_for_who_wants_less_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/admin/login/")
    longest = """() => Math.max(...[...document.querySelectorAll("*")].flatMap((one) =>
        getComputedStyle(one).transitionDuration.split(",").map(parseFloat)))"""
    assert page.evaluate(longest) <= 0.001


def test_the_api_reference_is_readable_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/api/v1/docs")
    expect(page.locator(".opblock-summary").first).to_be_visible()
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert page.evaluate("() => document.documentElement.clientWidth") == 390
