from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from traders.schema import jsonio
from trading.record.stored.copying import bulk_load, copy_rows

pytestmark = pytest.mark.django_db

TEXTS = ["", "\\N", "a\tb\nc\rd\\e", "\\.", "“quoted” … \u2028 💹", "\x01\x1f", "trailing\\"]


@pytest.fixture(autouse=True)
def _table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (n int, text text, json jsonb, number numeric, at timestamptz)")


def stored() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, json, number, at FROM copied ORDER BY n")
        return list(cursor.fetchall())


def test_what_goes_in_comes_out_digit_for_digit() -> None:
    at, number = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC), Decimal("0.10")

    copy_rows(
        "copied",
        ("n", "text", "json", "number", "at"),
        [(n, text, jsonio.dumps_finite({"t": text}), number, at) for n, text in enumerate(TEXTS)],
    )

    assert [(text, jsonio.loads(str(json)), str(value), moment) for text, json, value, moment in stored()] == [
        (text, {"t": text}, "0.10", at) for text in TEXTS
    ]


def test_what_is_not_known_is_null_and_more_rows_than_a_block_arrive() -> None:
    copy_rows("copied", ("n", "text"), ((n, None) for n in range(1001)))

    assert stored() == [(None, None, None, None)] * 1001


def test_no_rows_are_no_statement() -> None:
    copy_rows("no_such_table", ("n",), iter(()))


def test_a_dry_run_leaves_nothing() -> None:
    with bulk_load(dry_run=True, name="test"):
        copy_rows("copied", ("n",), [(1,)])

    assert stored() == []
