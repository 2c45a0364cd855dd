"""The page Moving in shows admins what was moved in, when, and what was refused."""

from __future__ import annotations

import pytest

from tests.traders.admin.people import browser_of
from tests.trading.imports.adopt.moves import a_move
from traders.accounts.rules import Role

pytestmark = pytest.mark.django_db

LIST = "/admin/trading/movein/"


def test_a_run_is_shown_with_its_counts_and_reasons() -> None:
    move = a_move()
    admin = browser_of(Role.ADMIN)
    listed = admin.get(LIST).content.decode()
    shown = admin.get(f"{LIST}{move.pk}/change/").content.decode()

    assert "143,642" in listed
    for said in (
        "nof0",
        "margin_mode",
        "must be long or short",
        "neither it nor its trade",
        "other",
        "And 1 more",
        "2.5 s",
    ):
        assert said in shown


def test_an_empty_list_says_how_to_begin() -> None:
    assert "adopt --inspect" in browser_of(Role.ADMIN).get(LIST).content.decode()


def test_operators_do_not_see_it() -> None:
    move = a_move()
    operator = browser_of(Role.OPERATOR)
    assert operator.get(LIST).status_code == 403
    assert operator.get(f"{LIST}{move.pk}/change/").status_code in (302, 403)
