"""What a cycle asks of the database."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork, opens
from trading.manager.projecting import Projector
from trading.manager.running.turns import Turns
from trading.models import Position

pytestmark = pytest.mark.django_db
# What opens, closes and checks a transaction is no work of its own.
OF_TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")


@pytest.mark.plain
def test_a_cycle_without_an_order_takes_ten_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the fleet's reading once a second, and its projection twice a second."""
    monkeypatch.setattr("trading.manager.projecting._in_use", [Projector()])
    sync_traders(make_trader(detail__auto_start=True))
    work = ManagerAtWork()
    turns = work.turns()
    turns.take("steady_long", work.now)
    known = work.fleet()["steady_long"]
    work.later()
    with CaptureQueriesContext(connection) as captured:
        turns.take("steady_long", work.now, known)
    statements = [one["sql"].strip() for one in captured.captured_queries]
    assert len([sql for sql in statements if not sql.startswith(OF_TRANSACTIONS)]) == 10


def statements_of_watch(turns: Turns, work: ManagerAtWork) -> int:
    fleet = list(work.fleet().values())
    with CaptureQueriesContext(connection) as captured:
        turns.watch(fleet)
    return len(captured)


def test_a_look_at_the_stops_of_any_number_of_traders_takes_two_statements_while_nothing_is_due() -> None:
    names = [f"trader_{number}" for number in range(5)]
    sync_traders(*(make_trader(name, allocation_pct=10, detail__auto_start=True) for name in names))
    work = ManagerAtWork()
    turns = work.turns()
    work.says = opens()
    turns.take(names[0], work.now)
    work.later()
    of_one = statements_of_watch(turns, work)
    for name in names[1:]:
        turns.take(name, work.now)
    work.later()
    assert Position.objects.filter(status="open").count() == 5
    assert statements_of_watch(turns, work) == of_one == 2


@pytest.mark.plain
@pytest.mark.parametrize("plan", [{"sl_price": "a word"}, {"trailing_stop_pct": "2 %"}, {"tp_price": {"is": 1}}])
def test_a_plan_that_cannot_be_read_keeps_no_other_trader_from_its_stop(plan: dict[str, object]) -> None:
    sync_traders(*(make_trader(name, allocation_pct=10, detail__auto_start=True) for name in ("first", "second")))
    work = ManagerAtWork()
    turns = work.turns()
    work.says = opens()
    for name in ("first", "second"):
        turns.take(name, work.now)
    with connection.cursor() as cursor:
        # Of a row from before the rule.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE positions DROP CONSTRAINT positions_exit_plan_can_be_read")
        broken = Position.objects.get(trader="first")
        broken.detail["exit_plan"] |= plan
        broken.save()
    work.market.quotes["BTC"] = Decimal(97)
    work.later(3)
    turns.watch(list(work.fleet().values()))
    assert Position.objects.get(trader="second").status == "closed"
