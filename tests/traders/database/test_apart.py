"""Reads of a page: what fails ends its own part, and a time limit holds for the statements inside it alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from traders.database import sql
from traders.database.apart import TookTooLong, apart, page_reads, time_limit


def works() -> bool:
    return bool(sql.value("SELECT 1") == 1)


def limit() -> str:
    return str(sql.value("SELECT current_setting('statement_timeout')"))


def sleep() -> None:
    sql.value("SELECT pg_sleep(5)")


def fail() -> None:
    sql.value("SELECT 1 / (SELECT 0)")


def statements(work: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as found:
        work()
    return [query["sql"] for query in found]


@pytest.fixture(params=["alone", "in a transaction"])
def database(request: pytest.FixtureRequest) -> None:
    """A page stands alone; a test's page stands in its transaction."""
    request.getfixturevalue("transactional_db" if request.param == "alone" else "db")


@pytest.mark.usefixtures("database")
class TestReads:
    def test_a_part_that_fails_costs_that_part(self) -> None:
        with page_reads():
            with apart():
                assert works()
            with pytest.raises(DatabaseError), apart():
                fail()
            with apart():
                assert works()
        assert works()

    def test_a_part_that_goes_on_after_a_fault_costs_no_other(self) -> None:
        with page_reads():
            with apart(), suppress(DatabaseError):
                fail()
            with apart():
                assert works()
        assert works()

    def test_a_fault_inside_a_part_leaves_the_rest_of_it(self) -> None:
        with page_reads(), apart():
            with pytest.raises(TookTooLong), time_limit(50):
                sleep()
            assert works()
            with pytest.raises(DatabaseError), apart():
                fail()
            assert works()

    def test_a_limit_holds_for_its_own_statements_alone(self) -> None:
        before = limit()
        with page_reads():
            with time_limit(1_000):
                assert limit() == "1s"
                with time_limit(300):
                    assert limit() == "300ms"
                assert limit() == "1s"
            with apart():
                assert limit() == before
            with pytest.raises(DatabaseError), time_limit(2_000):
                fail()
            with apart():
                assert limit() == before
            with time_limit(700):
                assert limit() == "700ms"
        assert limit() == before

    def test_a_transaction_within_a_part_keeps_its_own_limits(self) -> None:
        before = limit()
        with page_reads(), time_limit(1_000):
            with transaction.atomic(), time_limit(200):
                assert limit() == "200ms"
            assert limit() == "1s"
            with transaction.atomic(), pytest.raises(TookTooLong), time_limit(50):
                sleep()
            assert limit() == "1s"
        assert limit() == before

    def test_without_a_page_each_part_stands_alone(self) -> None:
        before = limit()
        with pytest.raises(TookTooLong), time_limit(50):
            sleep()
        with time_limit(1_000):
            assert limit() == "1s"
        assert limit() == before
        with pytest.raises(DatabaseError), apart():
            fail()
        assert works()


def test_parts_with_one_limit_share_its_statement(transactional_db: None) -> None:
    def page() -> None:
        with page_reads():
            for _number in range(3):
                with time_limit(1_000):
                    works()
                with apart(), time_limit(1_000):
                    works()

    found = statements(page)
    assert sum("set_config" in one for one in found) <= 3
    assert [one for one in found if one in ("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]
    assert not any("SAVEPOINT" in one for one in found)


def test_a_lost_connection_costs_its_part(transactional_db: None) -> None:
    with page_reads():
        with pytest.raises(DatabaseError), apart():
            sql.value("SELECT pg_terminate_backend(pg_backend_pid())")
        with apart():
            assert works()
    assert works()


def test_a_connection_lost_after_the_last_part_costs_nothing(transactional_db: None) -> None:
    with page_reads():
        with apart():
            assert works()
        connection.connection.close()
    assert works()
