"""Fixtures of the engine API: a fleet of two traders, and a client that speaks as an engine does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from tests.engine_client import Engine
from tests.factories import make_trader, sync_traders
from traders.schema.tokens import Scope
from traders.tokens import services as tokens

EngineWith = Callable[..., Engine]


@pytest.fixture
def engine_with() -> EngineWith:
    """Makes an engine whose token has these scopes, for all traders or for `traders`."""

    def make(*scopes: Scope, name: str = "engine-1", traders: list[str] | None = None) -> Engine:
        _token, text = tokens.create(name=name, scopes=scopes, actor="ann", trader_ids=traders)
        return Engine(text)

    return make


@pytest.fixture
def engine(db: None, engine_with: EngineWith) -> Engine:
    """May do everything, in a fleet of two traders."""
    sync_traders(make_trader(), make_trader("swift_short", detail__display_name="Swift Short"))
    return engine_with(*Scope)


@pytest.fixture(autouse=True)
def _placed_at_once(request: pytest.FixtureRequest) -> None:
    """Tests inside one transaction never commit: what they write takes its place as it is written."""
    marker = request.node.get_closest_marker("django_db")
    if "db" in request.fixturenames and not (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("db")
        place_at_once()


def place_at_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS config_writes_place_last, config_writes_place IMMEDIATE")
