"""A change page posted with `_saveasnew`, which no page offers: it is an ordinary save, and adds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import STEADY, form_data
from traders.models import ApiToken, TraderConfig, TraderConfigVersion
from traders.pages.in_place import InPlaceAdmin
from traders.schema.tokens import Scope
from traders.tokens import services as tokens

pytestmark = pytest.mark.django_db

AS_NEW = {"_saveasnew": "1"}


def test_every_admin_that_can_be_opened_ignores_it() -> None:
    ours = [found for model, found in admin.site._registry.items() if model._meta.app_label not in ("axes", "admin")]
    assert all(isinstance(found, InPlaceAdmin) for found in ours), [type(found) for found in ours]


def test_a_trader_is_saved_and_none_is_added(admin_client: Client) -> None:
    sync_traders(make_trader())
    typed: dict[str, Any] = form_data(detail__risk__max_positions="2") | {"step": "save"} | AS_NEW

    answer = admin_client.post(f"{STEADY}change/", typed)

    assert answer["Location"] == f"{STEADY}history/"
    assert list(TraderConfig.objects.values_list("pk", "version")) == [("steady_long", 2)]
    assert LogEntry.objects.get().action_flag == CHANGE


def test_a_person_who_may_not_add_can_save(editor: Client) -> None:
    sync_traders(make_trader())
    assert editor.post(f"{STEADY}change/", form_data() | {"step": "save"} | AS_NEW).status_code == 200
    assert TraderConfigVersion.objects.count() == 1  # nothing differs


def test_a_token_is_not_made_by_its_page(admin_client: Client) -> None:
    tokens.create(name="engine-1", scopes=[Scope.READ_CONFIG], actor="mei")
    token = ApiToken.objects.get()

    answer = admin_client.post(f"/admin/traders/apitoken/{token.pk}/change/", {"name": "engine-2"} | AS_NEW)

    assert answer.status_code == 403
    assert ApiToken.objects.count() == 1


def test_an_account_is_changed_and_none_is_added(admin_client: Client) -> None:
    user = User.objects.create_user("ivo", password="quiet harbour 9")
    address = f"/admin/auth/user/{user.pk}/change/"

    admin_client.post(address, {"username": "ivo2"} | AS_NEW)

    assert set(User.objects.values_list("username", flat=True)) == {"admin", "ivo2"}
    assert not LogEntry.objects.filter(action_flag=ADDITION).exists()
