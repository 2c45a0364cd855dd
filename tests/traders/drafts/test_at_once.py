"""A save that is sent twice at the same moment, with real threads and connections."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.at_once import at_once
from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, form_data, hidden_fields
from traders.models import TraderConfigVersion

pytestmark = pytest.mark.django_db(transaction=True)
SESSION_COOKIE_NAME = "sessionid"
POSITIONS = "detail.risk.max_positions"


def clients(count: int) -> list[Any]:
    """As many connections of one browser's session."""
    user = User.objects.create_superuser("mei")
    browsers: list[Any] = [Client() for _n in range(count)]
    browsers[0].force_login(user)
    for other in browsers[1:]:
        other.cookies[SESSION_COOKIE_NAME] = browsers[0].cookies[SESSION_COOKIE_NAME].value
    return browsers


def sent_at_once(url: str, data: dict[str, Any], *, previewed: bool) -> list[Any]:
    sync_traders(make_trader(), make_trader("quick_short"))
    browsers = clients(4)
    page = browsers[0].get(url)
    if previewed:
        typed = data | {"draft": hidden_fields(page)["draft"][0], "step": "preview"}
        page, data = browsers[0].get(browsers[0].post(url, typed).url), {}
    sent = hidden_fields(page) | data | {"step": "save"}
    return at_once(*(lambda browser=browser: browser.post(url, sent) for browser in browsers))


def versions_of(trader_id: str) -> int:
    return TraderConfigVersion.objects.filter(id=trader_id).count()


def test_a_double_click_on_save_makes_one_version_and_both_are_answered_with_it() -> None:
    sync_traders(make_trader(), make_trader("quick_short"))

    answers = sent_at_once(f"{STEADY}change/", form_data(detail__risk__max_positions="4"), previewed=True)

    assert [answer.status_code for answer in answers] == [302] * 4
    assert len({answer.url for answer in answers}) == 1
    assert versions_of("steady_long") == 2


def test_a_double_click_on_a_bulk_edit_makes_one_change_set() -> None:
    operation = {"op-0-path": POSITIONS, "op-0-do": "TIMES", "op-0-value": "2"}
    data = {"chosen": "steady_long quick_short", "reason": "x", **operation}

    answers = sent_at_once(f"{TRADERS}bulk/?trader=steady_long&trader=quick_short", data, previewed=True)

    assert len({answer.url for answer in answers}) == 1
    assert (versions_of("steady_long"), versions_of("quick_short")) == (2, 2)


def test_a_double_click_on_a_clone_makes_one_trader() -> None:
    copy = {"new_id": "copy", "display_name": "Copy", "reason": "a try"}

    answers = sent_at_once(f"{STEADY}clone/", copy, previewed=False)

    assert [answer.status_code for answer in answers] == [302] * 4
    assert len({answer.url for answer in answers}) == 1
    assert versions_of("copy") == 1
