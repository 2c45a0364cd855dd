"""Every column of the earlier engine has a home here, or a reason to stay behind."""

from __future__ import annotations

import re

import pytest

from tests.trading.imports.adopt import schemas
from trading.imports.adopt.generations import DETAIL, LEGACY, SQUASHED, Generation
from trading.imports.adopt.readers.columns import COLUMNS, LeftBehind, fate_of

_TABLE = re.compile(r"CREATE TABLE (\w+) \((.*?)\);\n", re.DOTALL)
_COLUMN = re.compile(r"(?:^|, ?)\s*(\w+) (?:text|bigserial|bigint|int|float8|boolean|jsonb|timestamptz|numeric)")
KNOWN = {LEGACY: schemas.LEGACY, DETAIL: schemas.DETAIL, SQUASHED: schemas.SQUASHED}


def columns(generation: Generation) -> list[tuple[str, str]]:
    found = [(table, column) for table, body in _TABLE.findall(KNOWN[generation]) for column in _COLUMN.findall(body)]
    assert len(found) > 60
    return found


@pytest.mark.parametrize("generation", KNOWN, ids=lambda one: one.code)
def test_each_column_is_on_the_list(generation: Generation) -> None:
    unknown = [fate_of(LEGACY, "no_such_table", "x"), fate_of(LEGACY, "models", "no_such_column")]
    assert all(isinstance(one, LeftBehind) for one in unknown)

    assert [place for place in columns(generation) if fate_of(generation, *place) in unknown] == []
    assert {table for table, _column in columns(generation)} <= set(COLUMNS[generation.code])


def test_the_first_schema_has_its_175_columns() -> None:
    assert len(columns(LEGACY)) == 175


def test_columns_that_somebody_added_are_kept_with_trades_and_positions() -> None:
    assert not isinstance(fate_of(LEGACY, "trades", "own_note"), LeftBehind)
    assert isinstance(fate_of(LEGACY, "models", "own_note"), LeftBehind)
