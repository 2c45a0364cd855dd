"""Two managers at the same moment: what the fleet may hold is shared, and each trader is run by one of them."""

from __future__ import annotations

from decimal import Decimal
from threading import Barrier, Event
from typing import Any

import pytest
from django.utils import timezone

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.manager_factories import HOLD, ManagerAtWork, opens
from tests.platform.processes import wait_for
from traders.controls.services import fleet_control
from traders.database import sql
from traders.schema.controls.rows import ControlKind
from traders.schema.settings.fleet import FLEET_ID
from trading.manager import writer
from trading.manager_models import ManagerOrder
from trading.models import DecisionJournal, Position

pytestmark = pytest.mark.django_db(transaction=True)
TRADERS = ("steady_long", "quick_short")
WAITING = """
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.mark.parametrize("limit", ["fleet_max_gross_exposure_x", "fleet_max_net_exposure_pct_per_underlying"])
def test_of_two_entries_at_once_the_one_that_fits_is_sent(limit: str) -> None:
    sync_traders(*(make_trader(name, detail__auto_start=True) for name in TRADERS))
    managers = {name: ManagerAtWork(says=HOLD) for name in TRADERS}
    for name, manager in managers.items():
        manager.take(name)  # the fleet's equity, 4,000 USD, is known from the first reports on
    # One entry of 400 USD fits, two do not.
    fits: dict[str, Any] = {f"detail__manager__{limit}": Decimal("0.15") if limit.endswith("_x") else Decimal(15)}
    save_edit(FLEET_ID, **fits)
    both_asked = Barrier(2)

    def answers(request: Any) -> Any:
        both_asked.wait(timeout=30)
        return opens()

    for manager in managers.values():
        manager.now, manager.says = timezone.now(), answers

    assert at_once(*(lambda name=name: managers[name].take(name) for name in TRADERS)) == [None, None]

    assert ManagerOrder.objects.filter(kind="entry").count() == 1
    assert Position.objects.filter(status="open").count() == 1
    actions = [row.detail["actions"][0] for row in DecisionJournal.objects.order_by("-id")[:2]]
    assert sorted(str(action.get("refused_by")) for action in actions) == ["None", "['fleet_exposure']"]


def test_a_stop_given_while_an_entry_waits_for_another_one_holds_it_back() -> None:
    sync_traders(*(make_trader(name, detail__auto_start=True) for name in TRADERS))
    save_edit(FLEET_ID, detail__manager__fleet_max_gross_exposure_x=Decimal(5))
    manager = ManagerAtWork(says=HOLD)
    manager.take(TRADERS[0])
    is_held = Event()

    def answers(request: Any) -> Any:
        assert is_held.wait(30)
        return opens()

    manager.now, manager.says = timezone.now(), answers

    def stops() -> None:
        with writer.one_entry_of_the_fleet():
            is_held.set()
            wait_for(lambda: bool(sql.values(WAITING)))
            fleet_control(ControlKind.STOP, reason="emergency", actor="mei")
            manager.now = timezone.now()

    assert at_once(stops, lambda: manager.take(TRADERS[0])) == [None, None]

    assert "fleet stop by mei" in DecisionJournal.objects.latest("id").detail["actions"][0]["error"]
    assert not ManagerOrder.objects.filter(kind="entry", state="filled").exists()
