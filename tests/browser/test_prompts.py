"""A prompt's way through the browser: written, previewed line by line, saved for its traders, and held to its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import give_reason, log_in, person
from tests.traders.prompt_files import DIGEST, HEADER, LONG, PromptFiles, X, Y
from traders.prompts import services as prompts
from traders.versions import services as configs

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_prompt_is_edited_compared_and_held_to_its_file(page: Page, tmp_path: Path, settings: Any) -> None:
    files = PromptFiles(tmp_path, settings)
    person("mei")
    log_in(page, "mei")
    page.get_by_role("link", name="Prompt texts").first.click()
    page.get_by_role("link", name=LONG).click()
    page.get_by_role("link", name="Edit", exact=True).click()

    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_value(f"{HEADER}Buy low.\n")
    text.fill(f"{HEADER}Buy low.\nSell high, never chase.\n")
    page.get_by_label(Y).uncheck()
    give_reason(page, "say when to sell")
    page.get_by_role("button", name="Preview").click()

    expect(page.locator(".linediff .plus")).to_have_text(["+ Sell high, never chase."])
    expect(page.get_by_role("heading", name="1 trader would get the new text")).to_be_visible()
    page.get_by_role("button", name="Move 1 trader").click()
    expect(page.get_by_text("Moved 1 trader to the new text.")).to_be_visible()

    digest = configs.existing(X).flat[DIGEST]
    stored = prompts.existing(digest)
    assert stored is not None
    assert stored.body == f"{HEADER}Buy low.\nSell high, never chase.\n"
    assert configs.existing(Y).version == 1

    page.goto("/admin/traders/prompttext/")
    row = page.locator(f'[data-row="{digest}"]')
    expect(row).to_contain_text("differs")
    files.write("Buy never.\n")
    row.get_by_role("link", name=LONG).click()
    expect(page.locator("#file")).to_contain_text("the next sync leaves it as it is and asks")
    expect(page.locator("#file .plus")).to_have_text(["+ Buy never."])

    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_label("Text", exact=True).select_option(configs.existing(Y).flat[DIGEST])
    page.get_by_label("with").select_option(digest)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".linediff .plus")).to_have_text(["+ Sell high, never chase."])
