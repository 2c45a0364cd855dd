"""Many traders changed at once, chosen on the list."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.steps import OWN, give_reason, log_in, person
from tests.factories import save_edit
from traders.versions import services as configs

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/traders/traderconfig/"


@pytest.fixture(autouse=True)
def site(page: Page) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    person("ada")
    log_in(page, "ada")
    page.goto(LIST)


def test_leverage_is_halved_for_the_chosen_and_saved_as_one_change_set(page: Page) -> None:
    names = sorted(page.locator(".traders tbody code").all_inner_texts())
    page.get_by_label("All on this page").check()
    expect(page.get_by_text(f"{len(names)} chosen:")).to_be_visible()
    page.get_by_label(f"Choose {names[0]}").uncheck()
    page.get_by_role("button", name="Bulk edit").click()

    page.get_by_label("Setting", exact=True).select_option(label="Major coin leverage")
    page.get_by_role("button", name="Add").click()
    page.get_by_label("What to do with Major coin leverage").select_option(label="multiply by")
    page.get_by_label("Risk - major coin leverage", exact=True).fill("half")
    give_reason(page, "calm before the numbers")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_text("Must be a number, such as 0.5.")).to_be_visible()
    expect(page.get_by_label("Risk - major coin leverage", exact=True)).to_have_value("half")

    page.get_by_label("Risk - major coin leverage", exact=True).fill("0.5")
    page.get_by_label("Risk - major coin leverage", exact=True).press("Enter")
    expect(page.get_by_role("heading", name=f"{len(names) - 1} traders would change")).to_be_visible()
    before = {name: configs.existing(name).flat["detail.risk.major_coin_leverage"] for name in names}
    save_edit(names[1], "mei", "a hedge", detail__risk__major_coin_leverage=before[names[1]] + 1)
    page.get_by_role("button", name=f"Change {len(names) - 1} traders").click()

    expect(page.get_by_role("alert").first).to_contain_text("1 trader was changed since the preview")
    contested = page.locator(f'[data-trader="{names[1]}"]')
    expect(contested).to_contain_text("mei changed it since the preview")
    contested.get_by_role("checkbox").check()
    page.get_by_role("button", name="Preview without those left out").click()
    count = len(names) - 2
    page.get_by_role("button", name=f"Change {count} trader").click()

    expect(page.get_by_text(f"Changed {count} trader")).to_be_visible()
    for name in names[2:]:
        assert configs.existing(name).flat["detail.risk.major_coin_leverage"] == round(before[name] / 2)
    assert configs.existing(names[0]).version == 1
    assert configs.existing(names[1]).flat["detail.risk.major_coin_leverage"] == before[names[1]] + 1
