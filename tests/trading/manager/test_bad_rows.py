"""Rows that another program wrote: one of them costs its own trader, never the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork
from tests.traders.database import direct
from traders.models import TraderRuntimeState
from trading.manager import queries
from trading.manager.queries import FleetReader

pytestmark = pytest.mark.django_db
NEXT = "2026-11-01T12:00:00Z"


@pytest.mark.parametrize("said", ["2026-11-01T12:00:00", None])
def test_a_next_decision_that_is_no_moment_is_that_of_a_trader_that_starts(said: Any) -> None:
    sync_traders(make_trader(), make_trader("other"))
    for name, next_at in (("steady_long", said), ("other", NEXT)):
        TraderRuntimeState.objects.filter(pk=name).update(detail={"decision": {"next_at": next_at}})

    found = queries.reported_next(["steady_long", "other"])

    assert list(found) == ["other"]


@pytest.mark.parametrize("section", ["risk", "llm", "order"])
def test_a_configuration_that_cannot_be_read_keeps_no_other_trader_from_running(
    caplog: pytest.LogCaptureFixture, section: str
) -> None:
    sync_traders(make_trader(detail__auto_start=True))
    with transaction.atomic():
        direct.insert_trader("foreign", allocation_pct="0", **{section: {"max_positions": "many"}})
    reader = FleetReader()

    assert [list(reader.read()), list(reader.read())] == [["steady_long"], ["steady_long"]]
    [said] = caplog.messages
    assert said.startswith(f"v1 of foreign cannot be read, and the trader is not run: detail.{section}.")
    at_work = ManagerAtWork()
    turns = at_work.turns()
    for name in ("foreign", "steady_long"):
        turns.take(name, at_work.now)
    assert [request.trader_id for request in at_work.asked] == ["steady_long"]
