"""What is append-only has no exception for a program: neither a setting of the session nor a name."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_trader, sync_traders
from tests.traders.database import direct
from tests.trading_factories import make_entry, make_position, make_trade
from traders.tokens import services as tokens
from trading.record.distribution.rules import TABLES
from trading.record.exclusions import services as exclusions
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind

pytestmark = pytest.mark.django_db

KEPT = (
    *("trader_config", "trader_config_versions", "manager_config", "manager_config_versions", "prompt_texts"),
    *("config_change_set_paths", "api_tokens", "trades", "positions", "decision_journal", "conversation_messages"),
    *("record_exclusions", "equity_transfers", "config_writes", "config_write_versions", "alarms"),
    *("trader_controls", "trader_control_acks", "audit_entries"),
)


@pytest.fixture(autouse=True)
def _recorded() -> None:
    """A trader made by an account called sample, with a record, and a token."""
    sync_traders(make_trader())
    record_trade(make_trade())
    record_decision(make_entry())
    open_position(trader_id="steady_long", symbol="ETH", side=Side.LONG, detail=make_position())
    aside = RecordKey(RecordKind.POSITION, "steady_long|ETH")
    exclusions.set_aside([aside], reason="a test", actor="mei")
    tokens.create(name="engine-1", scopes=["read-config"], actor="mei")


@pytest.mark.plain
def test_these_are_all_tables_whose_rows_stay() -> None:
    kept = direct.rows(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.proname = 'nof0_refuse_change' AND t.tgtype & 8 > 0"
    )
    assert {table for (table,) in kept} == set(KEPT)


@pytest.mark.parametrize(
    "table", [pytest.param(table, marks=pytest.mark.plain if table in TABLES else ()) for table in KEPT]
)
def test_no_setting_lets_a_row_be_deleted(table: str) -> None:
    before = direct.value(f"SELECT count(*) FROM {table}")
    for setting in ("nof0.removing_sample", "nof0.test_flush"):
        direct.execute(f"SET LOCAL {setting} = 'yes'")
        with pytest.raises(IntegrityError, match=f"DELETE of {table} refused"), transaction.atomic():
            direct.execute(f"DELETE FROM {table}")
    assert direct.value(f"SELECT count(*) FROM {table}") == before


def test_no_function_of_the_database_speaks_of_samples() -> None:
    assert direct.rows("SELECT proname FROM pg_proc WHERE strpos(prosrc, 'removing_sample') > 0") == []


def test_who_created_a_trader_is_never_changed() -> None:
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        direct.execute("UPDATE trader_config SET created_by = 'sample'")
