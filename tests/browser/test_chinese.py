"""The main pages in a browser that asks for Chinese, and the language of the account menu."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PATIENCE_MS, VIEWPORT
from tests.browser.sample_record import DECISIONS, LIVE, POSITIONS, TRADES, quote_what_is_held, sample_record
from tests.browser.steps import PASSWORD, log_out, person
from tests.browser.test_pages import check
from traders.models import TraderConfig

pytestmark = pytest.mark.django_db(transaction=True)

TRADERS = "/admin/traders/traderconfig/"


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=live_server.url, viewport=VIEWPORT, locale="zh-CN")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def log_in(page: Page) -> None:
    person("ada")
    page.goto("/admin/login/")
    page.get_by_label("用户名").fill("ada")
    page.get_by_label("密码").first.fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/admin/")


@pytest.mark.pages
def test_the_main_pages_hold_in_chinese(page: Page) -> None:
    sample_record()
    quote_what_is_held()
    log_in(page)
    first = f"{TRADERS}{TraderConfig.objects.order_by('pk')[0].pk}/"
    main = ("/admin/", TRADERS, first, f"{first}change/", f"{first}history/", f"{TRADERS}changes/")
    for url in (*main, POSITIONS, TRADES, DECISIONS, f"{TRADES}performance/?period=all", LIVE):
        page.goto(url)
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        check(page, url)


def test_the_language_of_the_account_menu_outlives_a_login(page: Page) -> None:
    log_in(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.locator("form[action='/language/']", has=page.locator("[value='en']")).locator("button").evaluate(
        "button => button.click()"
    )
    expect(page.locator("html")).to_have_attribute("lang", "en")
    log_out(page)
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="Change log")).to_be_visible()
