"""What a newcomer does on the first day, from the import to a restore."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.steps import OWN, SHARED, give_reason, log_in, person

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_newcomer_imports_changes_compares_and_restores(page: Page) -> None:
    call_command("sync_traders", str(SHARED if SHARED.exists() else OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")

    page.get_by_role("link", name=re.compile("Traders$")).click()
    page.locator(".traders .name").first.click()
    page.get_by_role("link", name="Edit", exact=True).last.click()
    positions = page.get_by_label("Max positions", exact=True)
    was = positions.input_value()

    positions.fill("20x")
    give_reason(page, "room for more")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Must be a whole number from 1 to 1000, was '20x'.")).to_be_visible()
    expect(positions).to_be_focused()
    expect(positions).to_have_value("20x")
    expect(positions).to_be_in_viewport()

    positions.fill("20")
    page.get_by_role("button", name="Preview").click()
    row = page.locator('[data-path="detail.risk.max_positions"]')
    expect(row.locator("del")).to_have_text(was)
    expect(row.locator("ins")).to_have_text("20")
    expect(row).to_contain_text("raises risk")
    page.get_by_role("button", name="Save version 2").click()

    expect(page.get_by_text("Saved version 2.")).to_be_visible()
    newest = page.locator("#v2")
    for said in ("ada", "just now", "room for more", f"Risk - max positions: {was} → 20"):
        expect(newest).to_contain_text(said)

    page.get_by_role("button", name="Compare the two chosen").click()
    expect(page.locator("tr.differs")).to_have_count(1)
    expect(page.locator("tr.differs")).to_contain_text("detail.risk.max_positions")

    page.get_by_role("link", name="Restore v1").click()
    give_reason(page, "it was enough")
    page.get_by_role("button", name="Restore as version 3").click()
    expect(page.get_by_text("Restored version 1 as version 3.")).to_be_visible()
    expect(page.locator("#v3")).to_contain_text(f"Risk - max positions: 20 → {was}")


def test_what_changed_so_far_is_shown_while_typing(page: Page) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    page.goto("/admin/traders/traderconfig/majors_momentum/change/")
    so_far = page.get_by_role("complementary", name="What changed so far")
    expect(so_far).to_contain_text("Nothing yet.")

    leverage = page.get_by_label("Major coin leverage")
    leverage.fill("5")
    expect(so_far).to_contain_text(re.compile(r"Major coin leverage\s*8x → 5"))
    expect(page.locator('[data-field="detail.risk.major_coin_leverage"] .was')).to_have_text("was 8x")
    expect(page.locator('.groups [data-group="risk"]')).to_have_class(re.compile("has-changes"))

    leverage.fill("8")
    expect(so_far).to_contain_text("Nothing yet.")


def test_the_form_works_without_scripts(page: Page) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(
        base_url=page.url.partition("/admin")[0], java_script_enabled=False, storage_state=page.context.storage_state()
    )
    bare = plain.new_page()
    bare.goto("/admin/traders/traderconfig/majors_momentum/change/")
    bare.get_by_label("Major coin leverage").fill("6")
    give_reason(bare, "calm")
    bare.get_by_role("button", name="Preview").click()
    bare.get_by_role("button", name="Save version 2").click()
    expect(bare.locator("#v2")).to_contain_text("8x → 6x")
    plain.close()
