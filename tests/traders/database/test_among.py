"""Conditions on many ids at once."""

from __future__ import annotations

import pytest
from django.db.models import Q

from tests.factories import make_trader, sync_traders
from traders.database.among import among
from traders.models import TraderConfig, TraderConfigVersion

pytestmark = pytest.mark.django_db


def test_rows_are_of_the_ids_that_are_named_and_of_no_others() -> None:
    sync_traders(make_trader(), make_trader("quick_short"))
    traders = TraderConfig.objects.order_by("pk")
    hostile = ["steady_long", "{", '"', "a,b", "NULL", "\\", "', '"]
    assert [row.pk for row in traders.filter(among("pk", hostile))] == ["steady_long"]
    # What stands between the ids of a statement is no part of one.
    assert not traders.filter(among("pk", ["steady_long\x1fquick_short"])).exists()
    assert [row.pk for row in traders.filter(among("pk", ["quick_short", "steady_long\x1f"]))] == ["quick_short"]
    assert [row.pk for row in traders.filter(Q(among("pk", {"quick_short"})) | Q(pk="steady_long"))] == [
        "quick_short",
        "steady_long",
    ]
    assert not traders.filter(among("pk", [])).exists()
    assert TraderConfigVersion.objects.filter(among("id", ["quick_short"])).count() == 1
