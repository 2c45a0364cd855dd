"""Each index serves the query that it was made for; the covering ones without a look into the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from benchmarks import trading_rows
from nof0site.acceptance.served import Served, served
from trading.record.browse import totals
from trading.record.browse.queries import RecordFilter

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
INSERT INTO alarms (rule, subject, severity, message) SELECT 'test', n::text, 'notify', 'A test.'
  FROM generate_series(1, 500) AS n;
INSERT INTO alarm_deliveries (alarm_id, channel, event, message_id, status, done_at)
SELECT id, 'office', 'raised', id::text || '/' || n, CASE WHEN n = 1 AND id % 50 = 0 THEN 'waiting' ELSE 'sent' END,
       CASE WHEN n = 1 AND id % 50 = 0 THEN NULL ELSE now() END
  FROM alarms, generate_series(1, 20) AS n;
INSERT INTO manager_orders (trader_id, client_order_id, cycle, symbol, action, kind, side, style, quantity, leverage,
                            slippage_bps, trigger_price, state, sent_at, is_recorded)
SELECT id, md5(n::text), n, 'BTC', 'stop', 'stop', 'long', 'market_ioc', 1, 1, 50, 90, 'resting', now(), n > 1
  FROM trader_config, generate_series(1, 500) AS n;
ANALYZE alarms, alarm_deliveries, manager_orders;
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
            cursor.execute("VACUUM decision_journal")
            yield
        finally:
            cursor.execute("TRUNCATE trader_config, symbols, alarms, config_writes, config_write_versions CASCADE")
            connection.close()


SERVED = served(TRADER)


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


def test_the_index_of_profit_serves_one_trader_as_well() -> None:
    query = "SELECT * FROM trades WHERE trader_id = %s AND net_pnl IS NOT NULL ORDER BY net_pnl, id LIMIT 51"
    [scan] = [step for step in plan_of(Served(query, [TRADER])) if "Index Name" in step]

    assert scan["Index Name"] == "idx_trades_pnl"
    assert "trader_id" in scan["Index Cond"]


def test_the_trades_of_a_trader_with_those_set_aside_need_no_index_of_their_own() -> None:
    query = "SELECT detail FROM trades WHERE trader_id = %s ORDER BY close_ts_ms DESC LIMIT 100"
    steps = plan_of(Served(query, [TRADER]))

    assert [step["Index Name"] for step in steps if "Index Name" in step] == ["idx_trades_recent_covering"]


def test_the_result_of_each_version_comes_from_the_index_alone() -> None:
    query = """
    SELECT entry_version, count(*), sum(net_pnl) FROM trades WHERE trader_id = %s AND exclusion_id IS NULL
     GROUP BY entry_version
    """
    steps = plan_of(Served(query, [TRADER]))

    assert [(step["Index Name"], step["Heap Fetches"]) for step in steps if "Index Name" in step] == [
        ("idx_trades_version_results", 0)
    ]


@pytest.mark.parametrize(
    ("index", "sums"),
    [
        ("idx_positions_opened", lambda: totals.of_positions(RecordFilter())),
        ("idx_trades_symbol_time", lambda: totals.of_trades(RecordFilter(symbol="SOL"))),
        ("idx_journal_did", lambda: totals.of_decisions(RecordFilter(outcome="did"))),
    ],
)
def test_the_sums_over_the_newest_rows_of_a_list_come_from_the_index_alone(
    index: str, sums: Callable[[], object]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert sums() is not None
    [query, *_parts] = [one["sql"] for one in captured.captured_queries if "LIMIT" in one["sql"]]
    steps = [step for step in plan_of(Served(query)) if "Relation Name" in step]

    assert [(step["Index Name"], step["Node Type"], step["Heap Fetches"]) for step in steps] == [
        (index, "Index Only Scan", 0)
    ]
