"""The sum of the fleet's allocation holds at every commit, whoever writes SQL, also two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.traders.database import direct

pytestmark = pytest.mark.django_db(transaction=True)

ABOVE = "allocation of the fleet is .* above the"


def fleet(*, reserve_pct: int = 10, **allocations: int) -> None:
    with transaction.atomic():
        direct.insert_fleet(reserve_pct=reserve_pct)
        for trader_id, allocation_pct in allocations.items():
            direct.insert_trader(trader_id, allocation_pct=str(allocation_pct))


def raise_to(trader_id: str, allocation_pct: int, *, version: int = 2, retired: bool = False) -> None:
    with transaction.atomic():
        direct.next_version(trader_id, version=version, allocation_pct=str(allocation_pct), retired=retired)


def allocated() -> int:
    return int(direct.value("SELECT coalesce(sum(allocation_pct), 0) FROM trader_config"))


def test_a_sum_of_exactly_what_the_reserve_leaves_is_kept() -> None:
    fleet(reserve_pct=10, a=45, b=45)

    assert allocated() == 90


@pytest.mark.parametrize("allocation_pct", ["45.01", "100"])
def test_a_new_trader_above_the_sum_is_refused(allocation_pct: str) -> None:
    fleet(reserve_pct=10, a=45)

    with pytest.raises(IntegrityError, match=ABOVE), transaction.atomic():
        direct.insert_trader("b", allocation_pct=allocation_pct)

    assert allocated() == 45


def test_a_raise_above_the_sum_is_refused() -> None:
    fleet(reserve_pct=10, a=45, b=40)

    with pytest.raises(IntegrityError, match=r"is 91.00 %, above the 90 % that the reserve of 10 % leaves"):
        raise_to("b", 46)

    assert allocated() == 85


def test_a_reserve_above_what_is_left_is_refused() -> None:
    fleet(reserve_pct=10, a=45, b=40)

    with pytest.raises(IntegrityError, match=ABOVE), transaction.atomic():
        direct.next_fleet_version(version=2, reserve_pct=16)
    with transaction.atomic():
        direct.next_fleet_version(version=2, reserve_pct=15)


def test_without_settings_of_the_fleet_the_limit_is_100() -> None:
    with transaction.atomic():
        direct.insert_trader("a", allocation_pct="60")

    with pytest.raises(IntegrityError, match="above the 100 %"), transaction.atomic():
        direct.insert_trader("b", allocation_pct="40.01")
    with transaction.atomic():
        direct.insert_trader("b", allocation_pct="40")


def test_shares_may_move_between_traders_in_one_transaction() -> None:
    fleet(reserve_pct=10, a=60, b=30)

    with transaction.atomic():
        direct.next_version("b", version=2, allocation_pct="60")
        direct.next_version("a", version=2, allocation_pct="30")

    assert direct.rows("SELECT id, allocation_pct::int FROM trader_config ORDER BY 1") == [("a", 30), ("b", 60)]


def test_a_retired_trader_gives_its_share_back_and_takes_it_again() -> None:
    fleet(reserve_pct=10, a=60, b=30)
    raise_to("a", 60, version=2, retired=True)
    raise_to("b", 90, version=2)

    with pytest.raises(IntegrityError, match=ABOVE):
        raise_to("a", 60, version=3, retired=False)
    raise_to("b", 30, version=3)
    raise_to("a", 60, version=3, retired=False)


def test_only_true_retires() -> None:
    """The text "true" would take a trader out of the sum for one reader and leave it in for another."""
    fleet(reserve_pct=0, a=60)

    with pytest.raises(IntegrityError, match=ABOVE), transaction.atomic():
        direct.insert_trader("b", allocation_pct="60", retired="true")


def test_every_check_sums_anew_when_checks_are_immediate() -> None:
    fleet(reserve_pct=0, a=50, b=40)

    @transaction.atomic
    def attempt() -> None:
        direct.next_version("b", version=2, allocation_pct="50")
        direct.execute("SET CONSTRAINTS ALL IMMEDIATE")
        direct.execute("SET CONSTRAINTS ALL DEFERRED")
        direct.next_version("a", version=2, allocation_pct="51")

    with pytest.raises(IntegrityError, match=ABOVE):
        attempt()


def test_each_statement_of_one_message_is_summed() -> None:
    """A block of statements has one timestamp, and must not be one statement to the check."""
    fleet(reserve_pct=0, a=50, b=40)

    @transaction.atomic
    def attempt() -> None:
        direct.insert_version("a", version=2, allocation_pct="51")
        direct.insert_version("b", version=2, allocation_pct="50")
        direct.execute(
            "DO $$ BEGIN SET CONSTRAINTS trader_config_fleet_sum IMMEDIATE;"
            " UPDATE trader_config SET version = 2, allocation_pct = 50 WHERE id = 'b';"
            " UPDATE trader_config SET version = 2, allocation_pct = 51 WHERE id = 'a'; END $$"
        )

    with pytest.raises(IntegrityError, match=ABOVE):
        attempt()

    assert allocated() == 90


def test_a_savepoint_that_was_left_does_not_count() -> None:
    fleet(reserve_pct=0, a=50, b=40)

    with transaction.atomic():

        @transaction.atomic
        def attempt() -> None:
            direct.next_version("a", version=2, allocation_pct="90")
            direct.execute("SET CONSTRAINTS ALL IMMEDIATE")

        with pytest.raises(IntegrityError, match=ABOVE):
            attempt()
        direct.next_version("b", version=2, allocation_pct="45")

    assert allocated() == 95


def test_of_two_raises_at_once_that_fit_singly_but_not_together_one_is_refused() -> None:
    fleet(reserve_pct=10, a=35, b=35)

    outcomes = at_once(lambda: raise_to("a", 50), lambda: raise_to("b", 50))

    assert sorted(outcomes) == ["done", "refused"]
    assert allocated() == 85


def test_of_two_new_traders_at_once_without_fleet_settings_one_is_refused() -> None:
    def add(trader_id: str) -> None:
        with transaction.atomic():
            direct.insert_trader(trader_id, allocation_pct="60")

    assert sorted(at_once(lambda: add("a"), lambda: add("b"))) == ["done", "refused"]
    assert allocated() == 60


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_program_with_an_old_snapshot_does_not_sum_what_was_before(isolation: str) -> None:
    fleet(reserve_pct=10, a=35, b=35)

    @transaction.atomic
    def attempt() -> None:
        direct.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        direct.rows("SELECT 1 FROM trader_config")
        assert at_once(lambda: raise_to("b", 50)) == ["done"]
        direct.next_version("a", version=2, allocation_pct="50")

    with pytest.raises(DatabaseError, match="in READ COMMITTED"):
        attempt()

    assert allocated() == 85


def test_of_a_raise_and_a_higher_reserve_at_once_one_is_refused() -> None:
    fleet(reserve_pct=10, a=70)

    def reserve_more() -> None:
        with transaction.atomic():
            direct.next_fleet_version(version=2, reserve_pct=25)

    assert sorted(at_once(lambda: raise_to("a", 85), reserve_more)) == ["done", "refused"]


def at_once(*actions: Callable[[], None]) -> list[str]:
    """Runs each action in a thread with a connection of its own; all have written before any commits."""
    written = threading.Barrier(len(actions), timeout=60)
    outcomes: list[str] = []

    def run(action: Callable[[], None]) -> None:
        try:
            with transaction.atomic():
                action()
                written.wait()
            outcomes.append("done")
        except IntegrityError as error:
            outcomes.append("refused" if "allocation of the fleet" in str(error) else str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return outcomes
