"""The pages that merge, choose and act on many: at every width, light and dark, as the other pages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.steps import OWN, give_reason, open_trader
from tests.browser.test_pages import TRADERS, check, log_in_as_ada
from tests.factories import save_edit

pytestmark = pytest.mark.django_db(transaction=True)

LEVERAGE = "detail__risk__major_coin_leverage"
FIRST, SECOND = "majors_momentum", "range_reversion"


@pytest.mark.pages
def test_every_action_page_holds_at_every_width(page: Page, tmp_path: Path) -> None:
    call_command("sync_traders", str(OWN), verbosity=0)
    log_in_as_ada(page)
    for step in chain(_bulk(page), _merges(page), _upload(page, tmp_path / "manager.yaml"), _plain(page)):
        check(page, step)


def _bulk(page: Page) -> Iterator[str]:
    page.goto(f"{TRADERS}bulk/?all=1")
    yield "bulk edit"
    for setting in ("Major coin leverage", "System prompt", "Stop-loss", "Extra"):
        page.locator("#f-add").select_option(label=setting)
        page.get_by_role("button", name="Add", exact=True).click()
    yield "bulk edit with every kind of operation"
    for number in (3, 2, 1):
        page.locator(".operation").nth(number).get_by_role("button").click()
    page.get_by_label("Risk - major coin leverage", exact=True).fill("11")
    give_reason(page, "r" * 200)
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_role("heading", name="3 traders would change")).to_be_visible()
    yield "preview of a bulk edit"
    save_edit(FIRST, "mei", "a hedge", **{LEVERAGE: 3})
    page.get_by_role("button", name="Change 3 traders").click()
    expect(page.get_by_role("alert")).to_contain_text("changed since the preview")
    yield "contested bulk edit"


def _merges(page: Page) -> Iterator[str]:
    for mine, step in (("Major coin leverage", "contested edit"), ("Min confidence", "merged edit")):
        open_trader(page, FIRST)
        page.get_by_label(mine).fill("91")
        give_reason(page, "calm")
        save_edit(FIRST, "mei", "wider book", **{LEVERAGE: 4 if mine == "Min confidence" else 5})
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("mei saved version")).to_be_visible()
        yield step
    page.goto(f"{TRADERS}{FIRST}/versions/1/restore/")
    save_edit(FIRST, "mei", "wider still", **{LEVERAGE: 6})
    give_reason(page, "back")
    page.get_by_role("button", name="Restore as").click()
    expect(page.get_by_text("It undoes 1 setting")).to_be_visible()
    yield "restore after a save in between"


def _upload(page: Page, file: Path) -> Iterator[str]:
    page.goto(f"{TRADERS}upload/")
    yield "upload"
    for said, shown in (("9", "Sync"), ("lots", "Show the plan")):
        file.write_text(OWN.read_text().replace("major_coin_leverage: 8", f"major_coin_leverage: {said}"))
        page.goto(f"{TRADERS}upload/")
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Show the plan").click()
        expect(page.get_by_role("button", name=shown)).to_be_visible()
        yield f"upload that says {said}"


def _plain(page: Page) -> Iterator[str]:
    for address in ("retire/?all=1", "bring-back/?all=1", f"{FIRST}/clone/", "compare/"):
        page.goto(TRADERS + address)
        yield address
    page.goto(f"{TRADERS}compare/?trader={FIRST}&trader={SECOND}&all=1")
    yield "two traders"
    open_trader(page, FIRST)
    page.get_by_text("Actions", exact=True).click()
    yield "a trader's actions"
