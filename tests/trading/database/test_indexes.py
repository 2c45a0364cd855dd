"""Each index serves the query that it was made for; the covering ones without a look into the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import DjangoDbBlocker

from benchmarks import trading_rows
from trading.record.writing import positions, trades

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TRADER = "trader_003"
MORE_ROWS = """
INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)
SELECT id, 1 + n / 60, n, '2026-01-01'::timestamptz + n * interval '1 minute', true,
       jsonb_build_object('origin', jsonb_build_object('system', 'test', 'key', n::text))
  FROM trader_config, generate_series(1, 500) AS n;
INSERT INTO conversation_messages (trader_id, decision_id, conversation, sequence, role, content, sent_at)
SELECT trader_id, id, 'cycle', cycle_number, 'user', 'What now?', decided_at FROM decision_journal;
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd)
SELECT id, 1700000000000 + n * 60000, 10000 FROM trader_config, generate_series(1, 500) AS n;
INSERT INTO version_results (trader_id, entry_version, trades, wins, losses, straddling, net_pnl, gross_pnl,
                             commission, first_close_ms, last_close_ms)
SELECT 'trader_001', n, 1, 1, 0, 0, n, n, 0, 1760000000000, 1760000000000 FROM generate_series(11, 3000) AS n;
INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor)
SELECT 'equity', trader_id || '|' || ts_ms, trader_id, 'exclude', 'test', 'test' FROM equity_snapshots
 WHERE ts_ms % 7 = 0;
INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor)
SELECT 'decision', id, trader_id, 'exclude', 'test', 'test' FROM decision_journal WHERE cycle_number % 9 = 0;
INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor)
SELECT 'trade', id, trader_id, 'exclude', 'test', 'test' FROM trades WHERE close_ts_ms % 50 = 0;
INSERT INTO equity_transfers (trader_id, transfer_id, kind, ts_ms, amount_usd, reason, actor)
SELECT id, n::text, 'deposit', 1700000000000 + n * 60000, 100, 'test', 'test'
  FROM trader_config, generate_series(1, 100) AS n;
ANALYZE equity_transfers, decision_journal, conversation_messages, equity_snapshots, version_results;
ANALYZE record_exclusions, trades
"""


@pytest.fixture(scope="module", autouse=True)
def _record(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Twenty thousand trades, committed, because only what is committed can be vacuumed; taken away afterwards."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        try:
            trading_rows.make_record(traders=20, trades=20_000)
            cursor.execute(MORE_ROWS)
            trading_rows.vacuum()
            yield
        finally:
            cursor.execute("TRUNCATE trader_config, symbols, config_writes, config_write_versions CASCADE")
            connection.close()


@dataclass(frozen=True)
class Served:
    """A query with its parameters, and whether its index alone answers it."""

    query: str
    parameters: list[Any] = field(default_factory=list)
    from_index_alone: bool = False


SERVED = {
    "idx_positions_trader_status": Served(
        "SELECT detail FROM positions WHERE trader_id = %s AND status = 'closed'", [TRADER]
    ),
    "idx_positions_symbol_open": Served(positions._OPEN_IN_SYMBOL, ["BTC"]),
    "idx_positions_open_covering": Served(positions._OPEN_OF_TRADER, [TRADER], from_index_alone=True),
    "idx_positions_opened": Served("SELECT * FROM positions ORDER BY opened_ms DESC, id LIMIT 50"),
    "positions_one_open": Served(
        "SELECT id FROM positions WHERE trader_id = %s AND symbol = %s AND status = 'open' AND exclusion_id IS NULL",
        [TRADER, "ETH"],
    ),
    "idx_transfers_trader_time": Served(
        "SELECT amount_usd FROM equity_transfers WHERE trader_id = %s ORDER BY ts_ms", [TRADER]
    ),
    "idx_trades_trader_time": Served(
        "SELECT detail FROM trades WHERE trader_id = %s ORDER BY close_ts_ms DESC LIMIT 100", [TRADER]
    ),
    "idx_trades_recent_covering": Served(trades._RECENT, [TRADER, 100], from_index_alone=True),
    "idx_trades_version_results": Served(
        "SELECT close_ts_ms, net_pnl FROM trades WHERE trader_id = %s AND entry_version = %s AND exclusion_id IS NULL"
        " ORDER BY close_ts_ms",
        [TRADER, 4],
        from_index_alone=True,
    ),
    "idx_trades_time": Served("SELECT * FROM trades ORDER BY close_ts_ms DESC, id LIMIT 50"),
    "idx_trades_symbol_time": Served(
        "SELECT * FROM trades WHERE symbol = %s ORDER BY close_ts_ms DESC LIMIT 50", ["SOL"]
    ),
    "idx_version_results_net": Served("SELECT * FROM version_results ORDER BY net_pnl LIMIT 50"),
    "idx_journal_trader_time": Served(
        "SELECT detail FROM decision_journal WHERE trader_id = %s ORDER BY decided_at DESC LIMIT 50", [TRADER]
    ),
    "idx_journal_time": Served("SELECT detail FROM decision_journal ORDER BY decided_at DESC, id DESC LIMIT 50"),
    "idx_journal_version": Served(
        "SELECT detail FROM decision_journal WHERE trader_id = %s AND config_version = %s", [TRADER, 2]
    ),
    "decision_journal_one_cycle": Served(
        "SELECT max(cycle_number) FROM decision_journal WHERE trader_id = %s", [TRADER]
    ),
    "decision_journal_one_entry_a_key": Served(
        "SELECT detail FROM decision_journal WHERE trader_id = %s AND entry_key = %s", [TRADER, "77"]
    ),
    "idx_messages_trader_time": Served(
        "SELECT content FROM conversation_messages WHERE trader_id = %s ORDER BY sent_at DESC LIMIT 50", [TRADER]
    ),
    "messages_one_a_place": Served(
        "SELECT content FROM conversation_messages WHERE trader_id = %s AND conversation = %s ORDER BY sequence",
        [TRADER, "cycle-1"],
    ),
    "idx_equity_time": Served(
        "SELECT equity_usd FROM equity_snapshots WHERE ts_ms >= %s", [1700000000000 + 29_900_000]
    ),
    "idx_trades_set_aside": Served(
        "SELECT count(*) FROM trades WHERE trader_id = %s AND exclusion_id IS NOT NULL", [TRADER], from_index_alone=True
    ),
    "idx_positions_set_aside": Served(
        "SELECT count(*) FROM positions WHERE trader_id = %s AND exclusion_id IS NOT NULL", [TRADER]
    ),
    "idx_journal_set_aside": Served(
        "SELECT count(*) FROM decision_journal WHERE trader_id = %s AND exclusion_id IS NOT NULL", [TRADER]
    ),
    "idx_equity_set_aside": Served(
        "SELECT count(*) FROM equity_snapshots WHERE trader_id = %s AND exclusion_id IS NOT NULL", [TRADER]
    ),
    "idx_exclusions_record": Served(
        "SELECT * FROM record_exclusions WHERE kind = 'equity' AND record_id = %s ORDER BY id DESC",
        [f"{TRADER}|1700000060000"],
    ),
    "idx_exclusions_trader": Served("SELECT * FROM record_exclusions WHERE trader_id = %s ORDER BY id DESC", [TRADER]),
}


def plan_of(served: Served) -> list[dict[str, Any]]:
    """Every step of the plan as it was run."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {served.query}", served.parameters)
        [[plan]] = cursor.fetchone()
    return list(_steps(plan["Plan"]))


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for inner in step.get("Plans", []):
        yield from _steps(inner)


@pytest.mark.parametrize("name", SERVED)
def test_the_index_serves_its_query(name: str) -> None:
    steps = plan_of(SERVED[name])

    assert name in [step.get("Index Name") for step in steps], steps
    if SERVED[name].from_index_alone:
        scans = [step for step in steps if "Relation Name" in step]
        assert [(step["Node Type"], step["Heap Fetches"]) for step in scans] == [("Index Only Scan", 0)]


def test_every_index_of_the_record_names_its_query() -> None:
    models = apps.get_app_config("trading").get_models()
    declared = {index.name for model in models for index in model._meta.indexes}

    assert declared <= SERVED.keys()


def test_the_result_of_each_version_comes_from_the_index_alone() -> None:
    query = """
    SELECT entry_version, count(*), sum(net_pnl) FROM trades WHERE trader_id = %s AND exclusion_id IS NULL
     GROUP BY entry_version
    """
    steps = plan_of(Served(query, [TRADER]))

    assert [(step["Index Name"], step["Heap Fetches"]) for step in steps if "Index Name" in step] == [
        ("idx_trades_version_results", 0)
    ]
