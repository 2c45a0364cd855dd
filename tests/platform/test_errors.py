from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

pytestmark = pytest.mark.django_db


def said(response: Any) -> str:
    assert 'href="/admin/"' in response.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("vera")
    user.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(user)
    return client


def test_an_address_without_a_page_leads_back(viewer: Client) -> None:
    page = viewer.get("/admin/nowhere/")
    assert page.status_code == 404
    assert "There is no page at this address." in said(page)


def test_a_page_for_others_says_who_can_help(viewer: Client) -> None:
    page = viewer.get("/admin/auth/user/")
    assert page.status_code == 403
    assert "An administrator can give it another role" in said(page)


def test_a_form_of_an_earlier_login_says_what_to_do() -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.post("/admin/login/", {"username": "ada", "password": "x"})
    assert page.status_code == 403
    assert "Open the form again" in said(page)


def test_a_request_that_cannot_be_meant_is_answered(viewer: Client) -> None:
    page = viewer.post("/admin/traders/traderconfig/conflicts/", {"reason": "x"})
    assert page.status_code in (400, 403)
    assert said(page)
