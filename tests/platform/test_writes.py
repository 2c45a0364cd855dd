"""What counts as having written something, for the answer to a request that failed."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from traders.database import writes


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("SELECT 1", False),
        ("  (SELECT 1) UNION (SELECT 2)", False),
        ("select * from trader_config for update", False),
        ("SHOW statement_timeout", False),
        ('SAVEPOINT "s1"', False),
        ("WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE", False),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) UPDATE t SET n = 1", True),
        ("WITH a AS (SELECT 1)\nDELETE FROM t", True),
        ("INSERT INTO t VALUES (1)", True),
        ("update t set n = 1", True),
        ("TRUNCATE t", True),
        ("DO $$ BEGIN END $$", True),
        (b"SELECT 1", True),
    ],
)
def test_a_statement_that_may_change_data_is_known(sql: object, changes: bool) -> None:
    assert writes.changes_data(sql) is changes


@pytest.mark.django_db(transaction=True)
def test_only_what_was_committed_counts() -> None:
    with connection.cursor() as cursor:
        writes.begin()
        cursor.execute("SELECT 1")
        assert not writes.may_be_written()
        with transaction.atomic():
            cursor.execute("CREATE TEMPORARY TABLE t (n int)")
            transaction.set_rollback(True)
        assert not writes.may_be_written()
        with writes.not_counted():
            cursor.execute("CREATE TEMPORARY TABLE t (n int)")
        assert not writes.may_be_written()
        with transaction.atomic():
            cursor.execute("INSERT INTO t VALUES (1)")
            assert not writes.may_be_written()
        assert writes.may_be_written()
        writes.begin()
        cursor.execute("INSERT INTO t VALUES (1)")
        assert writes.may_be_written()
        cursor.execute("DROP TABLE t")
