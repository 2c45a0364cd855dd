from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import TRADERS, text_of
from tests.traders.conftest import Login

URL = f"{TRADERS}compare/"

pytestmark = pytest.mark.usefixtures("fleet")


def test_two_traders_stand_side_by_side_as_they_are_now(login: Login) -> None:
    save_edit("quick_short", detail__risk__max_positions=9, detail__extra={"team": "alpha"})
    page = login("viewer").get(f"{URL}?trader=steady_long&trader=quick_short")

    rows = {row.path: (row.old, row.new, row.risk) for row in page.context["rows"]}
    assert rows == {
        "detail.display_name": ("Steady Long", "Quick Short", ""),
        "detail.risk.max_positions": ("3", "9", "raises"),
        "detail.extra.team": ("not set", '"alpha"', ""),
    }
    assert "3 differ" in text_of(page)
    assert page.context["same_rows"] is None


def test_what_is_equal_is_shown_on_demand(editor: Client) -> None:
    page = editor.get(f"{URL}?trader=steady_long&trader=quick_short&all=1")
    assert len(page.context["same_rows"]) == page.context["same_count"] > 20


def test_it_asks_for_the_rest_and_names_who_is_not_there(editor: Client) -> None:
    assert "Choose two traders" in text_of(editor.get(URL))
    one = editor.get(f"{URL}?trader=steady_long")
    assert one.context["names"] == ["steady_long", ""]
    said = text_of(editor.get(f"{URL}?trader=steady_long&trader=%40manager"))
    assert "There is no trader “@manager”." in said


def test_only_whoever_may_look_compares(login: Login) -> None:
    assert login("outsider").get(URL).status_code == 403
    assert login("anonymous").get(URL).status_code == 302
