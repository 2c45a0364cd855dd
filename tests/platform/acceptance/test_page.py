from __future__ import annotations

import pytest
from django.db import connection

from nof0site.acceptance import pages
from nof0site.acceptance.lines import LINES
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role

PAGE = "/admin/acceptance/"


def test_nothing_is_measured_until_it_is_asked(sample: None) -> None:
    page = browser_of(Role.ADMIN).get(PAGE).content.decode()

    assert [line.id for line in LINES if f">{line.id}<" not in page] == []
    assert page.count("not measured") == len(LINES)


def test_all_lines_are_measured_on_demand(sample: None) -> None:
    page = browser_of(Role.ADMIN).get(f"{PAGE}?only=all").content.decode()

    assert "not measured" not in page
    assert 'role="alert"' not in page
    assert "12 JSONB columns" in page


def test_a_phase_is_measured_alone_and_its_fail_stands_first(sample: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE trades ADD COLUMN extra jsonb")
    page = browser_of(Role.ADMIN).get(f"{PAGE}?only=P4").content.decode()

    assert page.count("not measured") == len([line for line in LINES if line.phase != "P4"])
    assert "trades.extra" in page[page.index('role="alert"') : page.index('<h2 id="P1"')]


def test_lines_after_the_pages_time_say_that_they_were_not_measured(
    sample: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_SECONDS", -1.0)
    page = browser_of(Role.ADMIN).get(f"{PAGE}?only=P4").content.decode()

    assert page.count("the page&#x27;s time was over") >= 2


def test_an_unknown_line_is_said(sample: None) -> None:
    page = browser_of(Role.ADMIN).get(f"{PAGE}?only=P99").content.decode()

    assert "There is no phase or line P99" in page


def test_it_is_in_the_menu_of_admins_only(sample: None) -> None:
    assert PAGE in browser_of(Role.ADMIN).get("/admin/").content.decode()
    assert PAGE not in browser_of(Role.OPERATOR).get("/admin/").content.decode()
    assert browser_of(Role.OPERATOR).get(PAGE).status_code == 403
