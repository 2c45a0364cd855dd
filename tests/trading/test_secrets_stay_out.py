"""No door of the record stores a secret that a report holds, and no public document shows one."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.engine_client import Engine
from tests.factories import make_trader, sync_traders
from tests.trading.arena_sample import conversation, position, trade
from tests.trading.imports.journal_files.cycles import write
from tests.trading_factories import make_entry
from traders.models import TraderRuntimeState, TraderSymbolCooldown
from traders.runtime.redaction import mark
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.export.parts.conversations import ConversationItems
from trading.export.parts.labels import labels_of
from trading.export.queries import fleet
from trading.models import ConversationMessage, DecisionJournal, Position
from trading.models import Trade as TradeRow
from trading.record.writing.decisions import record_decision
from trading.replay.services import replay
from trading.schema.decision import ModelAnswer

SECRET = "sk-" + "a1B2c3D4" * 4
TAKEN_OUT = f"[redacted: API key, mark {mark(SECRET)}]"
ENTRY: dict[str, Any] = {
    "symbol": "BTC",
    "side": "long",
    "entry": {"price": 100, "quantity": 1, "time_ms": 10**12 * 17 // 10},
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine() -> Engine:
    sync_traders(make_trader())
    return Engine(tokens.create(name="engine-1", scopes=tuple(Scope), actor="ann")[1])


def test_a_decision_over_the_api_says_where_secrets_were_taken_out(engine: Engine) -> None:
    body = {
        "key": "one",
        "config_version": 1,
        "decided_at": "2026-01-02T03:04:05Z",
        "success": False,
        "detail": {"answer": {"text": f"use {SECRET}"}, "error": f"401 for {SECRET}"},
        "messages": [{"role": "user", "content": f"My key is {SECRET}."}],
    }
    reply = engine.post("/traders/steady_long/decisions", body)
    assert reply.status == 200
    assert reply.body["redacted"] == ["detail.answer.text", "detail.error", "messages[0].content"]
    assert DecisionJournal.objects.get().detail["answer"]["text"] == f"use {TAKEN_OUT}"
    assert ConversationMessage.objects.get().content == f"My key is {TAKEN_OUT}."
    # The same entry again is the same decision.
    assert engine.post("/traders/steady_long/decisions", body).body == reply.body


def test_a_position_and_a_trade_over_the_api_keep_no_secret(engine: Engine) -> None:
    plan = {"exit_plan": {"invalidation_condition": f"if {SECRET} fails"}}
    opened = engine.put("/traders/steady_long/positions", ENTRY | plan)
    assert opened.body["redacted"] == ["detail.exit_plan.invalidation_condition"]
    again = engine.put("/traders/steady_long/positions", ENTRY | plan)
    assert (again.status, again.body) == (200, opened.body)
    open_ms = ENTRY["entry"]["time_ms"]
    detail = {
        "time": {"open_ts_ms": open_ms, "close_ts_ms": open_ms + 1000, "duration_seconds": 1},
        "prices": {"avg_entry": 1, "avg_exit": 2},
        "quantity": {"total": 1},
        "pnl": {"gross": 1, "net": 1},
        **plan,
    }
    traded = {"symbol": "ETH", "side": "long", "closed_at_ns": (open_ms + 1000) * 10**6, "detail": detail}
    reply = engine.put("/traders/steady_long/trades", traded)
    assert reply.body["redacted"] == ["detail.exit_plan.invalidation_condition"]
    assert SECRET not in json.dumps(
        [*Position.objects.values_list("detail"), *TradeRow.objects.values_list("detail")], default=str
    )


def test_a_report_and_a_cooldown_are_taken_without_their_secrets(engine: Engine) -> None:
    report = {"active_config_version": 1, "is_running": True, "detail": {"last_error": {"message": f"401: {SECRET}"}}}
    reply = engine.put("/traders/steady_long/runtime", report)
    assert (reply.status, reply.body["redacted"]) == (200, ["detail.last_error.message"])
    assert TraderRuntimeState.objects.get().detail["last_error"]["message"] == f"401: {TAKEN_OUT}"
    cooldown = {"symbol": "BTC", "cooldown_until": "2030-01-01T00:00:00Z", "detail": {"reason": f"password={SECRET}"}}
    reply = engine.put("/traders/steady_long/cooldowns", cooldown)
    assert (reply.status, reply.body["redacted"]) == (200, ["detail.reason"])
    assert SECRET not in str(TraderSymbolCooldown.objects.get().detail)


def test_cycle_files_are_imported_without_their_secrets_and_the_report_counts_them(tmp_path: Path) -> None:
    sync_traders(make_trader())
    write(tmp_path, cot_trace=f"I log in with {SECRET}", trader_id="steady_long")
    out = StringIO()
    call_command("import_journal", str(tmp_path), "--json", "--rejects", str(tmp_path / "rejects"), stdout=out)
    assert json.loads(out.getvalue())["redacted"] == 1
    assert SECRET not in json.dumps(DecisionJournal.objects.get().detail, default=str)


def test_arena_files_are_imported_without_their_secrets(tmp_path: Path) -> None:
    said = conversation()
    said["messages"][0]["content"] = f"Key {SECRET}"
    files = {
        "trades.json": {"trades": [trade(entry_liquidation={"note": SECRET})]},
        "conversations.json": {"conversations": [said]},
        "positions.json": {
            "accountTotals": [
                {
                    "model_id": trade()["model_id"],
                    "positions": {"BTC": position("BTC") | {"index_col": {"note": SECRET}}},
                }
            ]
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content, default=float))
    out = StringIO()
    options = ("--json", "--rejects", str(tmp_path / "rejects"), "--add-symbols", "BTC", "XRP")
    call_command("import_arena", str(tmp_path), *options, stdout=out)
    tables = json.loads(out.getvalue())["tables"]
    assert tables["conversation_messages"]["redacted"] == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT detail::text FROM trades UNION ALL SELECT detail::text FROM positions"
            " UNION ALL SELECT content FROM conversation_messages) AS t (said) WHERE said LIKE %s",
            [f"%{SECRET}%"],
        )
        assert cursor.fetchall() == [(0,)]


def test_a_secret_that_came_by_sql_is_not_published() -> None:
    sync_traders(make_trader())
    # What the edit refuses, as a program that writes SQL leaves it.
    results = [replace(one, display_name=f"Steady {SECRET}") for one in fleet.results()]
    record_decision(make_entry(answer=ModelAnswer(text=f"I use {SECRET}", reasoning=f"because of {SECRET}")))
    conversations = ConversationItems(10, is_withheld=False)
    conversations.refresh(1)
    document = conversations.render(labels_of(results), 0).decode()
    assert SECRET not in document
    assert TAKEN_OUT in document


def test_a_replay_says_that_a_text_was_redacted_instead_of_a_difference() -> None:
    sync_traders(make_trader())
    recorded = record_decision(make_entry(answer=ModelAnswer(text=f"{{ broken {TAKEN_OUT}")))
    done = replay(recorded.entry.trader_id, recorded.id)
    assert "answer.text" not in [difference.place for difference in done.differences]
    assert any(said.startswith("text redacted") for said in done.unchecked)
    assert any("detail.answer.text" in note for note in done.notes)
