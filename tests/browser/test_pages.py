"""Every page at two widths, light and dark: nothing scrolls sideways, and axe finds nothing serious."""

from __future__ import annotations

from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from scripts.fonts import ICON_LIST
from tests.browser.steps import give_reason, log_in, person
from tests.factories import SYSTEM_PROMPT, make_file, make_trader, save_edit, sync_traders
from traders.models import TraderRuntimeState, TraderSymbolCooldown
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.services import sync

pytestmark = pytest.mark.django_db(transaction=True)

TRADERS = "/admin/traders/traderconfig/"
STEADY = f"{TRADERS}steady_long/"
FLEET = "/admin/traders/managerconfig/1/"
PROMPTS = "/admin/traders/prompttext/"
REPORTED = "fleet-10-with_a_long_identifier"
PAGES = (
    *("/admin/", TRADERS, f"{TRADERS}?q=nothing", f"{TRADERS}add/", f"{TRADERS}conflicts/"),
    *(f"{STEADY}change/", f"{STEADY}history/", f"{STEADY}compare/?a=1&b=4&all=1", f"{STEADY}versions/2/"),
    *(f"{STEADY}versions/1/restore/", f"{FLEET}change/", f"{FLEET}history/", f"{FLEET}compare/"),
    *(f"{FLEET}versions/1/restore/", "/admin/auth/user/", "/admin/auth/user/add/"),
    *(PROMPTS, f"{PROMPTS}{SYSTEM_PROMPT.sha256}/change/", f"{PROMPTS}{SYSTEM_PROMPT.sha256}/edit/"),
    *(f"{PROMPTS}add/", f"{PROMPTS}compare/", f"{TRADERS}{REPORTED}/change/", "/admin/auth/group/"),
    *("/admin/traders/auditentry/", "/admin/trading/movein/", "/admin/sessions/", STEADY, f"{TRADERS}{REPORTED}/"),
    "/admin/second-factor/",
    *("/admin/preferences/", "/admin/find/?q=steady"),
)
MAIN_PAGES = {"/admin/", TRADERS, *PAGES[5:8], f"{FLEET}change/"}
REPORT = {"performance": {"total_pnl_usd": -1234567.5}, "last_error": "e" * 200}
LOSSES = {"reason": "consecutive_losses", "consecutive_losses": 3, "last_loss_pnl": -50.5}
EMPTY_PAGES = ("/admin/", TRADERS, f"{TRADERS}add/", f"{TRADERS}conflicts/", f"{FLEET}change/", f"{FLEET}history/")
SCHEMES = ("light", "dark")
WIDTHS = {390: 844, 1366: 768}
EVERY_WIDTH = {360: 780, 768: 1024} | WIDTHS
ICONS = set(ICON_LIST.read_text().split())
# One look a theme, each at another width. An axe run takes longer than the page.
AXE_LOOKS = {("light", 390), ("dark", 1366)}
# Colours that fade are measured once they have arrived; a spinner never arrives.
WIDE_TABLES = """all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(
    one => `${one.getAttribute("aria-label")}: ${one.scrollWidth} of ${one.clientWidth}`)"""
AT_REST = """() => document.getAnimations().every(
    one => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""


@pytest.fixture
def busy_fleet() -> None:
    """Traders in several states, versions with every kind of change, and open conflicts."""
    others = [make_trader(f"fleet-{n:02d}-with_a_long_identifier", allocation_pct=Decimal("1")) for n in range(17)]
    sync_traders(make_trader(), *others)
    save_edit("steady_long", detail__risk__major_coin_leverage=10, detail__risk__altcoin_leverage=5)
    save_edit("steady_long", detail__description="one\ntwo\nthree", detail__extra__team={"name": "x" * 120})
    save_edit("steady_long", detail__description="one\n2\nthree", detail__risk__max_positions=4, reason="r" * 200)
    save_edit(FLEET_ID, detail__manager__total_equity_usd=Decimal("1234567.5"))
    sync(file=make_file(make_trader(detail__risk__altcoin_leverage=2), *others), actor="cli")
    reported = TraderRuntimeState.objects.filter(pk__gte="fleet-1", pk__lt="fleet-3")
    reported.update(active_config_version=1, is_running=True, updated_at=timezone.now(), detail=REPORT)
    TraderSymbolCooldown.objects.create(trader_id=REPORTED, symbol="BTC", cooldown_until=timezone.now(), detail=LOSSES)


@pytest.mark.pages
@pytest.mark.usefixtures("busy_fleet")
def test_every_page_holds_at_every_width(page: Page) -> None:
    log_in_as_ada(page)
    for url in PAGES:
        page.goto(url)
        check(page, url, is_main=url in MAIN_PAGES)
        page.set_viewport_size({"width": 1366, "height": 768})
        wide = page.locator(".page .scroll").evaluate_all(WIDE_TABLES)
        assert not wide, f"{url}: tables that do not fit 1366 px: {wide}"
    for step in ("wrong", "preview", "stale"):
        show(page, step)
        check(page, step)


@pytest.mark.pages
def test_empty_pages_hold_too(page: Page) -> None:
    log_in_as_ada(page, "dark")
    for url in EMPTY_PAGES:
        page.goto(url)
        check(page, f"empty {url}")


@pytest.mark.usefixtures("busy_fleet")
@pytest.mark.parametrize(("width", "height", "least"), [(1366, 768, 14), (390, 844, 3)])
def test_enough_traders_are_in_view(page: Page, width: int, height: int, least: int) -> None:
    log_in_as_ada(page, "light")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(TRADERS)
    bottoms = page.locator(".traders tbody tr").evaluate_all(
        "rows => rows.map(row => row.getBoundingClientRect().bottom)"
    )
    assert sum(bottom <= height for bottom in bottoms) >= least


def log_in_as_ada(page: Page, scheme: str = "light") -> None:
    person("ada")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(page, "ada")
    expect(page.locator("html.dark")).to_have_count(int(scheme == "dark"))


def show(page: Page, step: str) -> None:
    """The form with an error, its preview, or both sides of a stale edit."""
    page.goto(f"{STEADY}change/")
    page.get_by_label("Max positions", exact=True).fill("20x" if step == "wrong" else "21")
    page.get_by_label("Description").fill("one\ntwo and a half\nthree")
    give_reason(page, "to look at it")
    if step == "stale":
        page.locator('[name="expected_version"]').evaluate("input => input.value = '3'")
    page.get_by_role("button", name="Preview").click()
    leads_to = {"wrong": "Preview", "preview": "Save version 5", "stale": "Preview on version 4"}
    expect(page.get_by_role("button", name=leads_to[step])).to_be_visible()


def check(page: Page, where: str, *schemes: str, is_main: bool = False) -> None:
    """Fails where the page scrolls sideways at any width, or where axe finds something serious, light and dark.

    The main pages are looked at more closely."""
    page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
    icons = page.locator(".material-symbols-outlined").evaluate_all("all => all.map(one => one.textContent.trim())")
    assert set(icons) <= ICONS | {""}, f"{where}: icons that scripts/fonts.py left out"
    for scheme in schemes or SCHEMES:
        show_in(page, scheme)
        for width, height in (EVERY_WIDTH if is_main else WIDTHS).items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(AT_REST)
            overflow = page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{where}, {scheme}, at {width} px scrolls sideways by {overflow} px"
            if (scheme, width) in AXE_LOOKS or (is_main and width in WIDTHS):
                assert not (found := serious_violations(page)), f"{where}, {scheme}, at {width} px: {found}"


def show_in(page: Page, scheme: str) -> None:
    """Light or dark by the theme's own switch, which spares another request of the page."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.evaluate("scheme => window.Alpine?.$data(document.documentElement).switchTheme?.(scheme)", scheme)
    expect(page.locator("html.dark")).to_have_count(int(scheme == "dark"))


def serious_violations(page: Page) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("() => axe.run({resultTypes: ['violations']}).then(results => results.violations)")
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
