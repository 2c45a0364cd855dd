"""No table takes a symbol with a character that looks blank; an upgrade keeps and names the rows that have one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from tests.factories import make_trader, sync_traders
from tests.traders.database import direct, filled
from tests.traders.database.scratch import ScratchDatabase, scratch_database
from tests.trading_factories import make_position, make_trade
from traders.runtime.cooldowns import writer as cooldowns
from traders.schema.symbols import SYMBOL_FORM, is_symbol
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.tokens import writer as tokens_writer
from trading.record.exclusions import services as exclusions
from trading.record.stored import symbols
from trading.record.writing import positions, trades
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind

BLANK = "BTC\u3164"
ODD = ["", "BTC", "kPEPE", "BTC/USDT:USDT", "\u5e01\u5b89", BLANK, "A|B", "A B", "BTC\n", "\u200b", "X" * 64, "X" * 65]
BEFORE = (("trading", "0031_functions_on_citus"), ("traders", "0027_account_preferences"))
TABLES = (
    *("symbols", "provider_symbols", "positions", "trades", "trader_symbol_cooldowns", "trader_controls"),
    *("exchange_differences", "manager_orders", "price_history", "clock_refusals"),
)
# What makes another row of one that is there: its keys come again with a letter more.
OTHERWISE = {
    "id": "replace(id, symbol, symbol || 'x')",
    "symbol": "symbol || 'x'",
    "subject": "subject || 'x'",
}

ORDER = """
INSERT INTO manager_orders (trader_id, client_order_id, cycle, symbol, action, kind, side, style, quantity, leverage,
                            slippage_bps, state, sent_at)
VALUES ('a', repeat('0', 32), 1, %s, 'open_long', 'entry', 'long', 'market', 1, 1, 1, 'sent', now())
"""
PRICES = """
INSERT INTO price_history (provider, symbol, interval, day, moments_ms, prices, volumes, opens, highs, lows)
VALUES ('hyperliquid', %s, '', '2025-11-03', '{1762165900000}', '{1}', '{null}', '{null}', '{null}', '{null}')
"""


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
        issued, _text = tokens.create(name="engine-1", scopes=[Scope.READ_CONFIG], actor="ann")
        tokens_writer.note_refused(issued.id, "a", "close", symbol, 360_000)
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
    execute(scratch, ORDER, symbol)
    execute(scratch, PRICES, symbol)


def refused(scratch: ScratchDatabase, sql: str, *parameters: Any) -> str:
    """The constraint that refuses the statement."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(using=scratch.alias):
        execute(scratch, sql, *parameters)
    cause = error.value.__cause__
    return cause.diag.constraint_name if cause else ""  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_each_table_that_names_a_symbol_has_the_rule() -> None:
    found = direct.rows(
        """
        SELECT c.relname::text, pg_get_constraintdef(k.oid)
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'symbol'
          LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = c.relname || '_symbol_form'
         WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
        """
    )
    assert {table for table, _rule in found} == set(TABLES)
    assert [table for table, rule in found if SYMBOL_FORM not in (rule or "")] == []


def takes(sql: str, *parameters: Any) -> bool:
    """Undone in any case. Only the form of the symbol may be why it is refused."""
    refusal = ""
    with transaction.atomic():
        try:
            with transaction.atomic():
                direct.execute(sql, *parameters)
        except IntegrityError as error:
            refusal = str(error)
        transaction.set_rollback(True)
    assert "_symbol_form" in refusal or not refusal
    return not refusal


@pytest.mark.django_db
@given(symbol=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=70) | st.sampled_from(ODD))
def test_orders_prices_and_refusals_take_symbols_alone(symbol: str) -> None:
    refusal = (
        "INSERT INTO clock_refusals (token_id, trader_id, what, symbol, ahead_ms) VALUES (%s, 'a', 'close', %s, 1)"
    )
    with transaction.atomic():
        sync_traders(make_trader("a"))
        issued, _text = tokens.create(name="engine-1", scopes=[Scope.READ_CONFIG], actor="ann")
        assert takes(ORDER, symbol) is is_symbol(symbol)
        assert takes(PRICES, symbol) is is_symbol(symbol)
        # Empty where the body that was refused names none.
        assert takes(refusal, issued.id, symbol) is (is_symbol(symbol) or not symbol)
        for sql, parameters, table in (
            (ORDER, ["BTC"], "manager_orders"),
            (PRICES, ["BTC"], "price_history"),
            (refusal, [issued.id, "BTC"], "clock_refusals"),
        ):
            direct.execute(sql, *parameters)
            is_right = is_symbol(symbol) or (table == "clock_refusals" and not symbol)
            assert takes(f"UPDATE {table} SET symbol = %s", symbol) is is_right
        transaction.set_rollback(True)


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
    execute(scratch, "UPDATE manager_orders SET state = 'cancelled', is_recorded = true")

    # A step back, and forward again, with the rows that stay.
    for app, name in BEFORE:
        scratch.migrate(app, name)
    scratch.migrate()
    assert execute(scratch, "SELECT count(*) FROM trades WHERE exclusion_id IS NOT NULL") == [(1,)]
