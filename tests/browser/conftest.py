"""A real Chromium against the live site. A page that logs an error or asks another host fails its test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

PROGRAMS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Chromium calls home in the background otherwise, and waits where it cannot.
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
VIEWPORT = {"width": 1366, "height": 768}
# Far more than a page takes on a busy machine: only a test that fails waits for so long.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    """The installed browser; without one the test is skipped, or fails where REQUIRE_BROWSER is set."""
    named = os.environ.get("CHROMIUM")
    for program in (named,) if named else PROGRAMS:
        if found := shutil.which(program):
            return found
    message = "No Chromium found. Install it (Debian: apt-get install chromium), or set CHROMIUM to the path of one."
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    # The synchronous API runs an event loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        yield driver
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    program = chromium()
    driver: Playwright = request.getfixturevalue("playwright_driver")
    # The sandbox needs rights that root in a container does not have.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else [*FLAGS]
    browser = driver.chromium.launch(executable_path=program, args=flags)
    yield browser
    browser.close()


@pytest.fixture
def browser_problems() -> list[str]:
    """What went wrong in the browser so far. A test that provokes an error takes it out of the list."""
    return []


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=live_server.url, viewport=VIEWPORT, locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer, browser_problems: list[str]) -> Iterator[Page]:
    own_host = urlsplit(live_server.url).netloc

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            browser_problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def note_foreign(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != own_host:
            browser_problems.append(f"request to another host: {request.url}")

    context.on("console", note_console)
    context.on("weberror", lambda error: browser_problems.append(f"script: {error.error}"))
    context.on("request", note_foreign)
    yield context.new_page()
    assert not browser_problems
