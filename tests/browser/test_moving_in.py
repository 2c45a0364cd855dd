"""The page Moving in at every width: a run with counts, refused rows and what stayed behind."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.test_pages import check, log_in_as_ada
from tests.trading.imports.adopt.moves import a_move

LIST = "/admin/trading/movein/"


@pytest.mark.pages
@pytest.mark.django_db(transaction=True)
def test_the_pages_hold_at_every_width(page: Page) -> None:
    number = a_move().pk
    log_in_as_ada(page)
    page.goto(LIST)
    check(page, "moving in")
    page.goto(f"{LIST}{number}/change/")
    check(page, "a run")
