"""`check_record` reads every row as readers do, and names each that they leave out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.trading.bad_rows import (
    CLOSED_MS,
    add_decision,
    add_equity,
    add_position,
    add_trade,
    decision_detail,
    position_detail,
    trade_detail,
)
from tests.trading.export.record import fill_record
from trading.record.exclusions import services as exclusions
from trading.record.stored import stored_rows
from trading.schema.exclusion import RecordKey, RecordKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(db: None) -> None:
    fill_record()


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, output)."""
    out = io.StringIO()
    try:
        call_command("check_record", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def found(*arguments: str) -> dict[tuple[str, str], tuple[str, str]]:
    """{(table, id): (kind, path)}."""
    _code, text = run("--json", *arguments)
    return {(one["table"], one["id"]): (one["kind"], one["path"]) for one in json.loads(text)["findings"]}


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_a_whole_record_is_read_and_nothing_is_found(record: None) -> None:
    code, text = run()

    assert code == 0
    assert "8 trades" in text
    assert "Every row can be read" in text
    assert json.loads(run("--json")[1]) == {
        "findings": [],
        "rows": {
            "trades": 8,
            "positions": 1,
            "decision_journal": 1,
            "conversation_messages": 0,
            "equity_snapshots": 60,
            "trader_runtime_state": 3,
            "trader_symbol_cooldowns": 0,
            "version_results": 2,
        },
        "found": {"unreadable": 0, "unknown": 0, "rule": 0},
        "clocks": [],
        "repairable": 60,
    }


@pytest.mark.plain
def test_each_row_is_named_with_its_place_and_reason(record: None) -> None:
    trade = add_trade("ann", trade_detail(fills="none"))
    position = add_position("bob", position_detail(risk={"confidence": "80"}))
    decision = add_decision("ann", "[]")
    late = add_decision("ann", decision_detail(), decided_at="infinity")
    equity = add_equity("ann", "NaN")
    execute(
        "INSERT INTO conversation_messages (id, trader_id, conversation, sequence, role, content, sent_at)"
        " VALUES (7, 'ann', 'c', 0, 'user', '', 'infinity')"
    )
    execute("UPDATE trader_runtime_state SET detail = '[]' WHERE trader_id = 'ann'")
    execute(
        "INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail)"
        " VALUES ('bob', 'BTC', now(), '{\"reason\": 5}'), ('bob', 'ETH', 'infinity', '{}')"
    )
    execute("UPDATE version_results SET net_pnl = 'NaN' WHERE trader_id = 'bob'")

    assert found() == {
        ("trades", trade): ("unreadable", "detail.fills"),
        ("positions", position): ("unreadable", "detail.risk.confidence"),
        ("decision_journal", decision): ("unreadable", "detail"),
        ("decision_journal", late): ("unreadable", "decided_at"),
        ("equity_snapshots", equity): ("unreadable", "equity_usd"),
        ("trader_runtime_state", "ann"): ("unreadable", "detail"),
        ("trader_symbol_cooldowns", "bob|BTC"): ("unreadable", "detail.reason"),
        ("trader_symbol_cooldowns", "bob|ETH"): ("unreadable", "cooldown_until"),
        ("conversation_messages", "7"): ("unreadable", "sent_at"),
        ("version_results", "bob|1"): ("rule", ""),
    }
    code, text = run()
    assert code == 1
    assert f"trades {trade}: detail.fills must be a list, is 'none'" in text


@pytest.mark.plain
def test_leaves_that_this_release_does_not_know_are_named(record: None) -> None:
    trade = add_trade("ann", trade_detail(pnl={"net": 9, "gross": 10, "commission": 1, "rebate": -1}))
    add_decision("ann", decision_detail(decisions=[{"symbol": "BTC", "action": "partial_close"}]))

    assert found() == {("trades", trade): ("unknown", "detail.pnl.rebate")}
    assert run()[0] == 1


def test_a_roll_up_that_is_not_the_sum_of_its_trades_is_found(record: None) -> None:
    execute("UPDATE version_results SET trades = trades + 1 WHERE trader_id = 'ann'")
    execute("DELETE FROM version_results WHERE trader_id = 'bob'")

    assert {key[1].split("|")[0]: kind for key, (kind, _) in found().items()} == {"ann": "rule", "bob": "rule"}


@pytest.mark.plain
def test_a_closed_position_without_its_trade_is_found(record: None) -> None:
    close = {"price": 110, "time_ms": CLOSED_MS, "quantity": 1}
    position = add_position("bob", position_detail())
    execute(
        "UPDATE positions SET status = 'closed', detail = jsonb_set(detail, '{close}', %s::jsonb) WHERE id = %s",
        *(json.dumps(close), position),
    )
    assert found() == {("positions", position): ("rule", "detail.close")}

    add_trade("bob", trade_detail(), symbol="SOL")
    assert found() == {}


@pytest.mark.plain
def test_rows_from_before_a_constraint_are_found(record: None) -> None:
    equity = add_equity("ann", "-5")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE equity_snapshots ADD CONSTRAINT equity_from_0 CHECK (equity_usd >= 0) NOT VALID")

    assert found() == {("equity_snapshots", equity): ("rule", "")}
    assert "breaks the constraint equity_from_0" in run()[1]


def test_a_row_that_was_set_aside_is_dealt_with(record: None) -> None:
    trade = add_trade("ann", trade_detail(fills=5))
    equity = add_equity("ann", "NaN")
    for kind, row_id in ((RecordKind.TRADE, trade), (RecordKind.EQUITY, equity)):
        exclusions.set_aside([RecordKey(kind, row_id)], reason="spoilt by an engine", actor="mei")

    assert found() == {}
    assert run()[0] == 0


def test_one_table_can_be_checked_alone(record: None) -> None:
    add_trade("ann", trade_detail(fills=5))
    equity = add_equity("ann", "NaN")

    assert set(found("--table", "equity_snapshots")) == {("equity_snapshots", equity)}


def test_every_row_is_read_whatever_the_size_of_a_batch(record: None) -> None:
    for source in stored_rows.SOURCES.values():
        for batch in (1, 3):
            small = stored_rows.RowSource(source.table, source.keys, source.columns, batch)
            ids = [row.id for rows in stored_rows.every(small) for row in rows]
            assert ids == [row.id for rows in stored_rows.every(source) for row in rows]
            assert len(set(ids)) == len(ids)
