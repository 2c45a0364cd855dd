"""No table takes a symbol with a character that looks blank; an upgrade keeps and names the rows that have one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from pytest_django import DjangoDbBlocker

from tests.factories import make_trader, sync_traders
from tests.traders.database import filled
from tests.traders.database.scratch import ScratchDatabase, scratch_database
from tests.trading_factories import make_position, make_trade
from traders.runtime.cooldowns import writer as cooldowns
from trading.record.exclusions import services as exclusions
from trading.record.stored import symbols
from trading.record.writing import positions, trades
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind

BLANK = "BTC\u3164"
BEFORE = (("trading", "0031_functions_on_citus"), ("traders", "0027_account_preferences"))
TABLES = (
    *("symbols", "provider_symbols", "positions", "trades", "trader_symbol_cooldowns", "trader_controls"),
    "exchange_differences",
)
# What makes another row of one that is there: its keys come again with a letter more.
OTHERWISE = {
    "id": "replace(id, symbol, symbol || 'x')",
    "symbol": "symbol || 'x'",
    "subject": "subject || 'x'",
}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    with django_db_blocker.unblock(), scratch_database() as database:
        yield database


def execute(scratch: ScratchDatabase, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def fill(scratch: ScratchDatabase, symbol: str) -> None:
    """A row with the symbol in every table that names one."""
    ends_at = datetime(2030, 1, 1, tzinfo=UTC)
    with filled.as_default(scratch):
        sync_traders(make_trader("a"))
        symbols.add([symbol])
        symbols.learn("hyperliquid", [symbol])
        trades.record_trade(make_trade("a", symbol=symbol))
        positions.open_position(trader_id="a", symbol=symbol, side=Side.LONG, detail=make_position())
        cooldowns.extend("a", symbol, ends_at, {})
    execute(
        scratch,
        "INSERT INTO trader_controls (trader_id, kind, symbol, until, reason, actor)"
        " VALUES ('a', 'cooldown', %s, %s, 'a test', 'mei')",
        *(symbol, ends_at),
    )
    execute(
        scratch,
        "INSERT INTO exchange_differences (trader_id, kind, subject, symbol, detail, reported_by)"
        " VALUES ('a', 'only_theirs', %s, %s, '{}', 'token:engine-1')",
        *(symbol, symbol),
    )


def refused(scratch: ScratchDatabase, sql: str, *parameters: Any) -> str:
    """The constraint that refuses the statement."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(using=scratch.alias):
        execute(scratch, sql, *parameters)
    cause = error.value.__cause__
    return cause.diag.constraint_name if cause else ""  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_upgrade_keeps_such_rows_and_takes_no_other(
    scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    scratch.migrate()
    for app, name in BEFORE:
        scratch.migrate(app, name)
    fill(scratch, BLANK)
    rows = {table: filled.fingerprint(scratch, table) for table in TABLES}

    scratch.migrate()

    assert {table: filled.fingerprint(scratch, table) for table in TABLES} == rows
    for table in TABLES:
        assert f"broke {table}_symbol_form. The rows stay as they are" in caplog.text
        columns = [
            name
            for (name,) in execute(
                scratch,
                "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = '' AND attidentity = ''",
                table,
            )
        ]
        again = ", ".join(OTHERWISE.get(name, name) for name in columns)
        assert refused(scratch, f"INSERT INTO {table} ({', '.join(columns)}) SELECT {again} FROM {table}") == (
            f"{table}_symbol_form"
        )

    # What a person can do with such rows.
    with filled.as_default(scratch):
        [trade] = [row for (row,) in execute(scratch, "SELECT id FROM trades")]
        [position] = [row for (row,) in execute(scratch, "SELECT id FROM positions")]
        keys = [RecordKey(RecordKind.TRADE, trade), RecordKey(RecordKind.POSITION, position)]
        exclusions.set_aside(keys, reason="no such symbol", actor="mei")
    execute(
        scratch,
        "UPDATE exchange_differences SET settlement = 'dismissed', settled_at = now(), settled_by = 'mei',"
        " reason = 'no such symbol'",
    )
    execute(scratch, "DELETE FROM trader_symbol_cooldowns")

    # A step back, and forward again, with the rows that stay.
    for app, name in BEFORE:
        scratch.migrate(app, name)
    scratch.migrate()
    assert execute(scratch, "SELECT count(*) FROM trades WHERE exclusion_id IS NOT NULL") == [(1,)]
