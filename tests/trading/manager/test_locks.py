"""Who runs a trader, when several managers are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from trading.manager.rules.share import FleetShare
from trading.manager.running.locks import ManagerLock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lock() -> Iterator[Callable[[str], ManagerLock]]:
    made: list[ManagerLock] = []

    def of(share: str) -> ManagerLock:
        made.append(ManagerLock(share))
        return made[-1]

    yield of
    for one in made:
        one.release()


def test_a_second_manager_of_a_share_waits_until_the_first_is_gone(lock: Callable[[str], ManagerLock]) -> None:
    first, second = lock("1/1"), lock("1/1")
    assert first.take(["a", "b"])
    assert not second.take(["a", "b"])
    assert (second.traders, second.is_held("a")) == (frozenset(), False)
    first.release()
    assert second.take(["a", "b"])
    assert second.is_held("a")


def test_a_trader_that_two_shares_name_is_run_by_one_of_them(lock: Callable[[str], ManagerLock]) -> None:
    first, second = lock("a,b"), lock("b,c")
    assert first.take(["a", "b"])
    assert second.take(["b", "c"])
    assert second.traders == {"c"}
    first.release()
    assert second.take(["b", "c"])
    assert second.traders == {"b", "c"}


def test_a_manager_whose_connection_ended_knows_it_before_its_next_entry(lock: Callable[[str], ManagerLock]) -> None:
    held = lock("1/1")
    assert held.take(["a"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    assert not held.is_held("a")
    assert held.take(["a"])
    assert held.is_held("a")


def test_the_parts_of_a_fleet_are_the_fleet_and_share_no_trader() -> None:
    fleet = {f"trader_{number}": number for number in range(50)}
    parts = [FleetShare.read(f"{number}/3").of(fleet) for number in (1, 2, 3)]
    assert sum(map(len, parts)) == 50
    assert parts[0] | parts[1] | parts[2] == fleet
    assert all(parts)


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be i/n with i from 1 to n"):
        FleetShare.read(text)
