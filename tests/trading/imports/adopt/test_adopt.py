"""The earlier engine's first database moves in whole, once, and with a reason for what does not."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_trader, sync_traders
from tests.trading.imports.adopt.conftest import Adopt
from tests.trading.imports.adopt.earlier import (
    DAY,
    DAY_MS,
    HOUR_MS,
    EarlierDatabase,
    add_conversation,
    closed,
    fill,
    position,
    trade,
)
from tests.trading.imports.journal_files import cycles
from traders.models import TraderConfig
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, MoveIn, Position, Trade
from trading.record.check import services as check_record
from trading.record.stored import rows

pytestmark = pytest.mark.django_db


def refused(rejects: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    return [(line["file"], line["field"], line["message"]) for line in lines]


def test_every_kind_of_row_becomes_a_record(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    report = adopt(legacy)

    inserted = {name: table["inserted"] for name, table in report["tables"].items() if name != "symbols"}
    assert inserted == {
        "trades": 2,
        "positions": 2,
        "equity_snapshots": 2,
        "decision_journal": 2,
        "conversation_messages": 2,
    }
    assert report["exit_code"] == 0
    assert report["traders_created"] == ["steady_long"]
    assert DecisionJournal.objects.count() == 2


def test_amounts_keep_the_fewest_digits_that_give_the_float_back(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)

    found = rows.trade(Trade.objects.get(symbol="BTC"))
    assert found.id == f"steady_long|BTC|{DAY_MS + HOUR_MS}123456"
    assert (found.detail.prices.avg_entry, found.detail.pnl.net) == (Decimal("45000.1"), Decimal("5.002"))
    assert found.detail.risk is not None
    assert found.detail.risk.confidence == 85
    assert found.detail.exchange.provider == "hyperliquid_testnet"
    assert found.detail.fills[0].is_crossed is None
    assert found.detail.origin is not None
    assert found.detail.origin.fields is None


def test_rows_keep_the_moment_at_which_they_were_made(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)

    assert Trade.objects.get(symbol="BTC").created_at == DAY + timedelta(hours=1, seconds=1)
    assert Position.objects.get(symbol="SOL").created_at == DAY + timedelta(hours=5)


def test_a_closed_position_was_closed_when_its_row_was_last_written(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("positions", closed(0))
    adopt(legacy)

    close = rows.position(Position.objects.get(symbol="BTC")).detail.close
    assert close is not None
    assert (close.time_ms, close.price, close.pnl) == (DAY_MS + HOUR_MS + 7, Decimal("45500.3"), Decimal("5.002"))


def test_a_closed_position_with_its_trade_was_closed_when_that_was(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    second = trade(2, symbol="ETH", entry_ts_ms=DAY_MS, entry_price=9)
    legacy.add("positions", closed(0, id="steady_long|ETH", symbol="ETH", updated_at=DAY + timedelta(hours=2.5)))
    legacy.add("trades", trade(0, symbol="ETH", entry_price=9), second | {"id": "steady_long|ETH|2"})
    adopt(legacy)
    again = adopt(legacy)

    closes = {one.symbol: rows.position(one).detail.close for one in Position.objects.filter(status="closed")}
    # Of two trades of one entry the one that closed nearer to it.
    assert {symbol: close.time_ms - DAY_MS for symbol, close in closes.items() if close} == {
        "BTC": HOUR_MS,
        "ETH": 3 * HOUR_MS,
    }
    assert [str(one) for rule in check_record.rules() for one in check_record.violations(rule)] == []
    assert again["tables"]["positions"]["inserted"] == 0
    assert adopt(legacy, "--verify")["exit_code"] == 0


def test_the_prompts_digest_brings_model_tokens_and_messages_to_the_decision(
    legacy: EarlierDatabase, adopt: Adopt
) -> None:
    fill(legacy)
    adopt(legacy)

    first, second = DecisionJournal.objects.order_by("decided_at")
    detail = rows.decision(first).entry.detail
    assert detail.answer is not None
    assert detail.answer.model == "deepseek-chat"
    assert detail.answer.reasoning == "It rises."
    assert (first.prompt_tokens, first.completion_tokens) == (1200, 300)
    assert [message.role for message in first.messages.order_by("sequence")] == ["system", "assistant"]
    assert first.asked_symbols == '["BTC"]'
    assert second.messages.count() == 0


def test_equity_keeps_its_parts_and_the_available_balance(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)

    point = EquitySnapshot.objects.get(ts_ms=DAY_MS)
    assert (point.equity_usd, point.unrealized_pnl_usd, point.available_usd) == (
        Decimal("1000.1"),
        Decimal("-0.3"),
        Decimal("900.5"),
    )
    # 0 is the column's default: what was realized is that of the trades.
    assert point.realized_pnl_usd == 0


def test_a_trader_that_is_here_is_used_and_another_gets_settings_that_trade_nothing(
    legacy: EarlierDatabase, adopt: Adopt
) -> None:
    sync_traders(make_trader("steady_long"))
    fill(legacy)
    legacy.add("trades", trade(3, model_id="other"))
    report = adopt(legacy)

    assert report["traders_created"] == ["other"]
    other = TraderConfig.objects.get(pk="other")
    assert other.allocation_pct == 0
    assert other.detail["auto_start"] is False


def test_what_the_source_said_of_a_trader_stands_in_its_description(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)

    assert "knew it since 2025-11-03 as 'Steady'." in TraderConfig.objects.get().detail["description"]


def test_traders_can_be_renamed(legacy: EarlierDatabase, adopt: Adopt) -> None:
    sync_traders(make_trader("calm"))
    fill(legacy)
    adopt(legacy, "--map", "steady_long=calm")

    assert set(Trade.objects.values_list("trader_id", flat=True)) == {"calm"}
    assert set(DecisionJournal.objects.values_list("trader_id", flat=True)) == {"calm"}


def test_a_second_run_adds_nothing(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)
    again = adopt(legacy)

    assert {name: table["inserted"] for name, table in again["tables"].items() if table["inserted"]} == {}
    assert again["refused"] == 0
    assert MoveIn.objects.count() == 2


def test_a_dry_run_writes_nothing(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    report = adopt(legacy, "--dry-run")

    assert report["tables"]["trades"]["inserted"] == 2
    models = (Trade, Position, DecisionJournal, EquitySnapshot, TraderConfig, MoveIn)
    assert [model.objects.count() for model in models] == [0] * 6


def test_a_position_that_is_closed_there_since_is_closed_here(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("positions", position(0))
    adopt(legacy)
    legacy.run("DELETE FROM positions")
    legacy.add("positions", closed(0))
    legacy.add("trades", trade(0))
    report = adopt(legacy)
    third = adopt(legacy)

    held = rows.position(Position.objects.get())
    assert (report["positions_closed"], third["positions_closed"]) == (1, 0)
    assert held.detail.close is not None
    assert not held.is_open
    assert held.detail.close.pnl == Decimal("5.002")
    assert third["tables"]["positions"] | {"known": 0} == dict.fromkeys(third["tables"]["positions"], 0)


def test_a_position_whose_symbol_was_opened_again_there_is_closed_by_its_trade(
    legacy: EarlierDatabase, adopt: Adopt
) -> None:
    legacy.add("positions", position(0))
    adopt(legacy)
    legacy.run("DELETE FROM positions")
    legacy.add("positions", position(4, quantity=0.02))
    legacy.add("trades", trade(0))
    report = adopt(legacy)

    assert report["positions_closed"] == 1
    first, again = sorted(map(rows.position, Position.objects.all()), key=lambda one: one.detail.entry.time_ms)
    assert not first.is_open
    assert first.detail.close is not None
    assert first.detail.close.time_ms == DAY_MS + HOUR_MS
    assert again.is_open
    assert again.detail.entry.quantity == Decimal("0.02")


def test_seconds_upper_case_and_repeated_trades_are_read_as_what_they_mean(
    legacy: EarlierDatabase, adopt: Adopt
) -> None:
    first = trade(0, side="LONG", entry_ts_ms=DAY_MS // 1000, exit_ts_ms=DAY_MS // 1000 + 3600, trade_id="t1")
    legacy.add("trades", first, first | {"id": "once more"})
    report = adopt(legacy)

    found = rows.trade(Trade.objects.get())
    assert (found.side, found.detail.time.open_ts_ms, found.close_ts_ms) == ("long", DAY_MS, DAY_MS + HOUR_MS)
    assert report["repeated"] == {"trades": 1}
    assert report["exit_code"] == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"side": "flat"}, "side"),
        ({"exit_ts_ms": None}, "exit_ts_ms"),
        ({"realized_net_pnl": float("nan")}, "realized_net_pnl"),
        ({"realized_net_pnl": None}, "realized_net_pnl"),
        ({"entry_price": 0}, "fills.0.price"),
        ({"exit_ts_ms": DAY_MS - 1}, "exit_ts_ms"),
        ({"symbol": "NOSUCH"}, "symbol"),
        ({"symbol": "B|C"}, "symbol"),
        ({"model_id": "no trader"}, "model_id"),
        ({"quantity": -0.01}, "quantity"),
        ({"entry_ts_ms": 5}, "entry_ts_ms"),
    ],
)
def test_a_row_without_one_meaning_is_refused_whole_with_its_reason(
    legacy: EarlierDatabase, adopt: Adopt, rejects: Path, changed: dict[str, object], field: str
) -> None:
    legacy.add("trades", trade(0), trade(1) | {"id": "bad"} | changed)
    report = adopt(legacy)

    (line,) = [json.loads(text) for text in rejects.read_text().splitlines()]
    assert (line["file"], line["index"]) == ("trades", "bad")
    assert line["field"] in (field, "entry_price")
    assert line["record"]["exchange_provider"] == "hyperliquid_testnet"
    assert report["exit_code"] == 3
    assert Trade.objects.count() == 1
    assert MoveIn.objects.get().rejects[0]["row"] == "bad"


def test_an_unknown_symbol_is_taken_when_it_is_named(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("trades", trade(0, symbol="NEWONE"))

    assert adopt(legacy, "--add-symbols", "NEWONE")["exit_code"] == 0


def test_two_trades_of_one_trade_id_that_differ_are_not_guessed_at(
    legacy: EarlierDatabase, adopt: Adopt, rejects: Path
) -> None:
    legacy.add("trades", trade(0, trade_id="t"), trade(1, trade_id="t"))
    adopt(legacy)

    assert [field for _table, field, _message in refused(rejects)] == ["trade_id"]


def test_decisions_of_cycle_files_stay_and_their_conversation_is_kept(
    legacy: EarlierDatabase, adopt: Adopt, tmp_path: Path
) -> None:
    sync_traders(make_trader("steady_long"))
    fill(legacy)
    file = cycles.cycle(timestamp="2025-11-03T10:30:00.123456789Z", config_version=None)
    (tmp_path / "cycle_1.json").write_text(json.dumps(file))
    call_command("import_journal", str(tmp_path), rejects=tmp_path / "rejects")
    report = adopt(legacy)

    assert report["tables"]["decision_journal"]["known"] == 1
    assert DecisionJournal.objects.count() == 2
    assert ConversationMessage.objects.filter(conversation="earlier|1", decision=None).count() == 2
    assert adopt(legacy, "--verify")["exit_code"] == 0


def test_cycle_files_of_decisions_that_moved_in_are_known(
    legacy: EarlierDatabase, adopt: Adopt, tmp_path: Path
) -> None:
    fill(legacy)
    adopt(legacy)
    file = cycles.cycle(timestamp="2025-11-03T10:30:00.123456789Z", config_version=None)
    (tmp_path / "cycle_1.json").write_text(json.dumps(file))
    call_command("import_journal", str(tmp_path), rejects=tmp_path / "rejects")

    assert DecisionJournal.objects.count() == 2


def test_conversations_without_a_decision_are_kept(legacy: EarlierDatabase, adopt: Adopt) -> None:
    add_conversation(legacy, 7)
    report = adopt(legacy)

    assert report["tables"]["conversation_messages"]["inserted"] == 2
    assert set(ConversationMessage.objects.values_list("conversation", flat=True)) == {"earlier|8"}
    left = {(one["table"], one["column"]): one["rows"] for one in report["left_behind"]}
    assert (left["conversations", "topic"], left["conversation_messages", "metadata"]) == (1, 2)


def test_secrets_are_taken_out_of_texts(legacy: EarlierDatabase, adopt: Adopt) -> None:
    secret = "sk-" + "a1B2c3D4" * 6
    add_conversation(legacy, 0, content=f"key {secret}")
    report = adopt(legacy)

    assert report["tables"]["conversation_messages"]["redacted"] >= 1
    assert not ConversationMessage.objects.filter(content__contains=secret).exists()


def test_the_other_database_is_only_read(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    counter = legacy.value("SELECT last_value FROM price_ticks_id_seq")
    adopt(legacy)

    assert legacy.value("SELECT last_value FROM price_ticks_id_seq") == counter
    assert legacy.value("SELECT count(*) FROM trades") == 2


def test_a_table_that_may_not_be_read_is_named(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.run("CREATE TABLE more (id int)")
    legacy.forbid("trades")

    with pytest.raises(CommandError, match="may not read trades: GRANT SELECT"):
        adopt(legacy)


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://earlier@127.0.0.1:1/none", "does not answer"),
        ("hunter2 is no dsn", "is not one of PostgreSQL"),
    ],
)
def test_a_database_that_cannot_be_reached_is_said_without_its_password(dsn: str, said: str) -> None:
    with pytest.raises(CommandError, match=said) as refusal:
        call_command("adopt", "--from", dsn)

    assert "hunter2" not in str(refusal.value)


def test_the_dsn_comes_from_the_environment_too(legacy: EarlierDatabase, settings: Any, tmp_path: Path) -> None:
    settings.ADOPT_DATABASE_URL = legacy.dsn

    call_command("adopt", "--dry-run", rejects=tmp_path / "rejects")
    with pytest.raises(CommandError, match="not both"):
        call_command("adopt", "--from", legacy.dsn)
