"""Who may open which page, and who may write."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, form_data, text_of
from tests.traders.conftest import Login
from traders.versions import services as configs

pytestmark = pytest.mark.usefixtures("fleet")

READ = [
    *(TRADERS, f"{STEADY}change/", f"{STEADY}history/", f"{STEADY}compare/", f"{STEADY}versions/1/"),
    *(f"{TRADERS}conflicts/", f"{FLEET}change/", f"{FLEET}history/", f"{FLEET}compare/", f"{FLEET}versions/1/"),
]
WRITE = [f"{TRADERS}add/", f"{STEADY}versions/1/restore/", f"{FLEET}versions/1/restore/"]


@pytest.mark.parametrize("url", READ + WRITE)
def test_nobody_enters_without_logging_in(login: Login, url: str) -> None:
    answer = login("anonymous").get(url)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


@pytest.mark.parametrize("url", READ + WRITE)
def test_staff_without_rights_is_turned_away(login: Login, url: str) -> None:
    assert login("outsider").get(url).status_code == 403


@pytest.mark.parametrize("url", READ)
@pytest.mark.parametrize("role", ["viewer", "editor", "superuser"])
def test_whoever_may_look_reads_everything(login: Login, role: str, url: str) -> None:
    assert login(role).get(url).status_code == 200


@pytest.mark.parametrize("url", WRITE)
def test_only_whoever_may_change_opens_what_writes(login: Login, url: str) -> None:
    assert login("viewer").get(url).status_code == 403
    assert login("editor").get(url).status_code == 200
    assert login("superuser").get(url).status_code == 200


def test_a_viewer_sees_no_button_that_would_do_nothing(login: Login) -> None:
    viewer = login("viewer")
    for url in READ:
        page = viewer.get(url)
        assert b'name="step"' not in page.content
        assert b"/restore/" not in page.content
        assert b"Add trader" not in page.content


def test_a_viewers_post_changes_nothing(login: Login) -> None:
    data = form_data(detail__risk__max_positions="9") | {"step": "save"}
    answer = login("viewer").post(f"{STEADY}change/", data)

    assert "Preview" not in text_of(answer)
    assert login("viewer").post(f"{STEADY}versions/1/restore/", {"reason": "x"}).status_code == 403
    assert login("viewer").post(f"{TRADERS}conflicts/", {"reason": "x"}).status_code == 403
    assert configs.existing("steady_long").version == 1


def test_writes_need_the_forms_token(login: Login) -> None:
    editor = Client(enforce_csrf_checks=True)
    editor.cookies = login("editor").cookies
    assert editor.post(f"{STEADY}change/", form_data() | {"step": "save"}).status_code == 403


def test_nothing_can_be_deleted(login: Login) -> None:
    for url in (f"{STEADY}delete/", f"{FLEET}delete/"):
        assert login("superuser").post(url, {"post": "yes"}).status_code == 403


def test_an_unknown_trader_leads_back_to_the_list(login: Login) -> None:
    answer = login("editor").get(f"{TRADERS}nobody/change/", follow=True)
    assert answer.redirect_chain == [(TRADERS, 302)]
    assert "There is no trader “nobody”." in text_of(answer)
