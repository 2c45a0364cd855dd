"""Four people: nobody in particular, one who may look, one who may change, and one who may do everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.factories import make_trader, sync_traders

Login = Callable[[str], Client]

ROLES = {
    "viewer": ("view_traderconfig", "view_managerconfig", "view_prompttext"),
    "editor": ("change_traderconfig", "add_traderconfig", "change_managerconfig"),
}


@pytest.fixture
def login(db: None) -> Login:
    """A browser of `anonymous`, `outsider` (staff without rights), `viewer`, `editor` or `superuser`."""

    def client_of(role: str) -> Client:
        client = Client()
        if role != "anonymous":
            user, made = User.objects.get_or_create(
                username=role, defaults={"is_staff": True, "is_superuser": role == "superuser"}
            )
            if made and role in ROLES:
                user.user_permissions.set(Permission.objects.filter(codename__in=ROLES[role]))
            client.force_login(user)
        return client

    return client_of


@pytest.fixture
def editor(login: Login) -> Client:
    return login("editor")


@pytest.fixture
def fleet(db: None) -> None:
    """The fleet's settings and two traders."""
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"))
