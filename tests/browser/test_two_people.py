"""Two people with the same trader open: nothing is overwritten, nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import VIEWPORT
from tests.browser.steps import OWN, give_reason, log_in, open_trader, person
from traders.versions import services as configs

pytestmark = pytest.mark.django_db(transaction=True)

TRADER = "majors_momentum"


def save(page: Page, version: int) -> None:
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name=f"Save version {version}").click()
    expect(page.get_by_text(f"Saved version {version}.")).to_be_visible()


@pytest.fixture
def mei(page: Page, browser: Browser) -> Iterator[Page]:
    """A second person at a second machine; `page` is ada's. Both have the trader open."""
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    person("mei")
    log_in(page, "ada")
    base_url = page.url.partition("/admin")[0]
    with browser.new_context(base_url=base_url, viewport=VIEWPORT) as other:  # type: ignore[arg-type]
        meis = other.new_page()
        log_in(meis, "mei")
        open_trader(page, TRADER)
        open_trader(meis, TRADER)
        yield meis


def test_disjoint_changes_are_applied_on_top(page: Page, mei: Page) -> None:
    mei.get_by_label("Altcoin leverage").fill("2")
    give_reason(mei, "wider book")
    save(mei, 2)

    page.get_by_label("Max positions", exact=True).fill("1")
    page.get_by_label("Min confidence").fill("90")
    give_reason(page, "calm")
    page.get_by_role("button", name="Preview").click()

    said = page.get_by_role("status")
    expect(said).to_contain_text("mei saved version 2")
    expect(said).to_contain_text("Your 2 changes do not touch theirs: they will be applied on top.")
    said.get_by_text("Changes saved meanwhile").click()
    expect(said).to_contain_text("Risk - altcoin leverage")
    expect(page.locator(".changes tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Save version 3").click()
    expect(page.get_by_text("Saved version 3.")).to_be_visible()

    flat = configs.existing(TRADER).flat
    assert flat["detail.risk.max_positions"] == 1
    assert flat["detail.risk.altcoin_leverage"] == 2
    assert flat["detail.risk.min_confidence"] == 90


def test_a_contested_setting_is_chosen(page: Page, mei: Page) -> None:
    mei.get_by_label("Max positions", exact=True).fill("9")
    give_reason(mei, "wider book")
    save(mei, 2)

    page.get_by_label("Max positions", exact=True).fill("1")
    page.get_by_label("Min confidence").fill("90")
    give_reason(page, "calm")
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("alert")).to_contain_text("mei saved version 2")
    expect(page.get_by_role("alert")).to_contain_text("wider book")
    contested = page.locator('[data-path="detail.risk.max_positions"]')
    expect(contested).to_contain_text("conflict")
    expect(contested.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_role("button", name="Preview on version 2").click()
    expect(page.get_by_text("Still open: Risk - max positions.")).to_be_visible()

    page.get_by_role("radio", name="Risk - max positions: mei's value").check()
    page.get_by_role("button", name="Preview on version 2").click()
    expect(page.locator(".changes tbody tr")).to_have_count(1)
    expect(page.get_by_text("calm")).to_be_visible()
    page.get_by_role("button", name="Save version 3").click()
    expect(page.get_by_text("Saved version 3.")).to_be_visible()

    flat = configs.existing(TRADER).flat
    assert flat["detail.risk.max_positions"] == 9
    assert flat["detail.risk.min_confidence"] == 90
