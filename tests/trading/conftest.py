"""A trader with three versions, and another; and a viewer, who may read all of it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role


@pytest.fixture
def traders(db: None) -> None:
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"))
    save_edit("steady_long", "mei", "cut leverage", detail__risk__major_coin_leverage=10)
    save_edit("steady_long", "lee", "wider book", detail__risk__max_positions=4)


@pytest.fixture
def viewer(traders: None) -> Client:
    return browser_of(Role.VIEWER)
