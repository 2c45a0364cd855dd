"""Rows of a statement are read by column name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import DataError
from psycopg import sql as composed

from traders.database import sql

pytestmark = pytest.mark.django_db

TWO = "SELECT n AS number, 'n' || n AS name FROM generate_series(1, 2) AS n ORDER BY n"


@dataclass(frozen=True)
class Numbered:
    name: str
    number: int


def test_rows_have_the_names_of_their_columns() -> None:
    assert [(row.number, row.name) for row in sql.rows(TWO)] == [(1, "n1"), (2, "n2")]


def test_rows_become_instances_by_name_whatever_the_order_of_columns() -> None:
    assert sql.rows_as(Numbered, TWO) == [Numbered("n1", 1), Numbered("n2", 2)]


def test_a_column_that_the_class_does_not_have_is_an_error() -> None:
    with pytest.raises(TypeError, match="other"):
        sql.rows_as(Numbered, "SELECT 1 AS number, 'n1' AS name, 2 AS other")


def test_two_columns_of_one_name_are_an_error() -> None:
    with pytest.raises(DataError, match="duplicate"):
        sql.rows("SELECT 1 AS number, 2 AS number")


def test_values_are_the_first_column() -> None:
    assert sql.values("SELECT n FROM unnest(%s::int[]) AS n", [[3, 4]]) == [3, 4]
    assert sql.value("SELECT %(n)s::int", {"n": 5}) == 5


def test_a_single_value_needs_a_single_row() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        sql.value("SELECT 1 WHERE false")


def test_execute_tells_how_many_rows_were_written() -> None:
    sql.execute("CREATE TEMPORARY TABLE numbered (number int) ON COMMIT DROP")
    assert sql.execute("INSERT INTO numbered SELECT generate_series(1, %s)", [7]) == 7
    assert sql.rows("SELECT number FROM numbered WHERE number > 99") == []


def test_composed_statements_run_as_well() -> None:
    statement = composed.SQL("SELECT 1 AS {name}").format(name=composed.Identifier("number"))
    assert sql.rows(statement)[0].number == 1
