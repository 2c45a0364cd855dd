"""The acceptance lists in a browser: measured on demand, and at every width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.acceptance.lines import LINES
from tests.browser.sample_record import quote_what_is_held, sample_record
from tests.browser.test_pages import check, log_in_as_ada
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTANCE = "/admin/acceptance/"


@pytest.fixture
def site(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.EXPORT_DIR = tmp_path
    sample_record()
    quote_what_is_held()
    Exporter(Options.configured()).cycle(analytics_seconds=None)


def test_an_admin_measures_from_the_menu(site: None, page: Page) -> None:
    log_in_as_ada(page)
    page.get_by_role("link", name="Acceptance").click()
    expect(page.get_by_text("not measured")).to_have_count(len(LINES))
    page.get_by_role("link", name="Measure all").click()
    expect(page.get_by_text("not measured")).to_have_count(0)
    expect(page.get_by_text("12 JSONB columns of settings and record").first).to_be_visible()


@pytest.mark.pages
def test_the_page_holds_at_every_width(site: None, page: Page) -> None:
    log_in_as_ada(page)
    for name, address in (("acceptance", ACCEPTANCE), ("acceptance measured", f"{ACCEPTANCE}?only=all")):
        page.goto(address)
        check(page, name)
