"""Addresses and forms that nobody would write by hand are answered, never with an error of the server."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.traders.admin.browsing import form_data
from tests.traders.conftest import Login

pytestmark = pytest.mark.usefixtures("fleet")

TRADERS = "/admin/traders/traderconfig/"
TRADER = f"{TRADERS}steady_long/"
NONSENSE = ("-1", "0", "9" * 20, "NaN", "%F0%9F%92%A5", "x" * 3000, "9999-12-31T23:59:59.999999")


@pytest.mark.parametrize(
    "address",
    [
        *(f"{TRADERS}?{name}=" for name in ("q", "state", "exchange", "p", "o", "at")),
        *(f"{TRADERS}changes/?{name}=" for name in ("config", "path", "source", "since", "until", "before")),
        *(f"{TRADER}compare/?a=", f"{TRADERS}restore-to/?at=", f"{TRADERS}bulk/?trader=", f"{TRADERS}compare/?trader="),
        *(
            "/admin/traders/prompttext/?older=",
            "/admin/traders/prompttext/?p=",
            "/admin/traders/apitoken/?newer=",
            "/admin/traders/prompttext/compare/?a=",
        ),
    ],
)
def test_an_address_with_nonsense_is_answered(login: Login, address: str) -> None:
    superuser = login("superuser")
    for value in NONSENSE:
        assert superuser.get(address + value).status_code in (200, 302), value


@pytest.mark.parametrize("address", [f"{TRADERS}?exchange_provider=%00", f"{TRADERS}a%00b/change/"])
def test_an_address_with_a_null_character_is_refused(editor: Client, address: str) -> None:
    assert editor.get(address).status_code == 400


@pytest.mark.parametrize("number", ["0", "9" * 20])
def test_a_change_set_that_never_was_leads_back_to_the_log(editor: Client, number: str) -> None:
    for page in ("", "undo/"):
        response = editor.get(f"{TRADERS}changes/{number}/{page}")
        assert (response.status_code, response["Location"]) == (302, f"{TRADERS}changes/")


@pytest.mark.parametrize("version", ["0", "-1", "x", "9" * 20])
def test_a_form_of_a_version_that_never_was_is_refused(editor: Client, version: str) -> None:
    data = form_data(detail__risk__max_positions="4") | {"expected_version": version}
    assert editor.post(f"{TRADER}change/", data).status_code == 400
    if version != "9" * 20:
        said = {"reason": "back", "expected_version": version}
        assert editor.post(f"{TRADER}versions/1/restore/", said).status_code == 400
