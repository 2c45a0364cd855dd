"""A trader cloned, compared with its source, and retired; a bundle downloaded and uploaded again."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.steps import OWN, give_reason, log_in, open_trader, person
from traders.versions import services as configs

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/traders/traderconfig/"
TRADER = "majors_momentum"


@pytest.fixture(autouse=True)
def site(page: Page) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")


def test_a_clone_is_made_compared_retired_and_unretired(page: Page) -> None:
    open_trader(page, TRADER)
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Clone", exact=True).click()
    page.get_by_label("Id", exact=True).fill("momentum two")
    page.get_by_label("Display name").fill("Momentum, smaller")
    give_reason(page, "half the size")
    page.get_by_role("button", name="Make the clone").click()
    expect(page.locator(".is-wrong")).to_contain_text("1 to 64 letters")
    expect(page.get_by_label("Display name")).to_have_value("Momentum, smaller")
    page.get_by_label("Id", exact=True).fill("momentum_two")
    page.get_by_role("button", name="Make the clone").click()
    expect(page.get_by_text("Made momentum_two, version 1.")).to_be_visible()
    expect(page.get_by_text(f"{TRADER} v1")).to_be_visible()

    page.goto(LIST)
    page.get_by_label(f"Choose {TRADER}").check()
    page.get_by_label("Choose momentum_two").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator('tr.differs[data-path="allocation_pct"] ins')).to_have_text("0 %")

    page.goto(LIST)
    page.get_by_label(f"Choose {TRADER}").check()
    page.get_by_label("Choose momentum_two").check()
    page.get_by_role("button", name="Retire", exact=True).click()
    share = configs.existing(TRADER).flat["allocation_pct"]
    expect(page.get_by_role("heading", name=f"Retires 2 traders, frees {share:.2f} % allocation")).to_be_visible()
    give_reason(page, "the fund is closing")
    page.get_by_role("button", name="Retire 2 traders").click()
    expect(page.get_by_text("Retired 2 traders.")).to_be_visible()

    open_trader(page, TRADER)
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Unretire").click()
    give_reason(page, "not yet")
    page.get_by_role("button", name="Unretire 1 trader").click()
    expect(page.get_by_text("Unretired 1 trader.")).to_be_visible()
    assert configs.existing(TRADER).flat["detail.retired"] is False


def test_a_bundle_is_downloaded_edited_and_uploaded(page: Page, tmp_path: Path) -> None:
    page.goto(LIST)
    page.get_by_label(f"Choose {TRADER}").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename.endswith(".zip")
    whole = tmp_path / "fleet.zip"
    download.value.save_as(whole)

    page.goto(LIST)
    page.get_by_role("link", name="Upload manager.yaml").click()
    page.get_by_label("File", exact=True).set_input_files(whole)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="fleet.zip changes nothing")).to_be_visible()
    expect(page.get_by_text("missing from the file").first).to_be_visible()

    edited = tmp_path / "manager.yaml"
    leverage = configs.existing(TRADER).flat["detail.risk.major_coin_leverage"]
    text = OWN.read_text()
    assert f"major_coin_leverage: {leverage}" in text
    edited.write_text(text.replace(f"major_coin_leverage: {leverage}", f"major_coin_leverage: {leverage + 1}", 1))
    page.get_by_role("link", name="Another file").click()
    page.get_by_label("File", exact=True).set_input_files(edited)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="manager.yaml would make 1 new version")).to_be_visible()
    page.get_by_role("button", name="Sync: make 1 version").click()
    expect(page.get_by_text("Say why, in a few words.")).to_be_visible()
    give_reason(page, "the team agreed")
    page.get_by_role("button", name="Sync: make 1 version").click()
    expect(page.get_by_role("status")).to_contain_text("manager.yaml is synced: 1 new version.")
