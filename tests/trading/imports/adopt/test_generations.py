"""The second and third schema of the earlier engine move in, the second with the versions of its traders."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError

from tests.factories import make_trader, sync_traders
from tests.trading.imports.adopt.conftest import Adopt
from tests.trading.imports.adopt.earlier import DAY, DAY_MS, HOUR_MS, EarlierDatabase, add_conversation, cycle, equity
from traders.controls.queries import all_of
from traders.models import TraderConfig, TraderConfigVersion
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, Position, Trade
from trading.record.stored import rows

pytestmark = pytest.mark.django_db

# As the engine's TraderConfig is marshalled: the keys of manager.yaml, with what the file leaves out as Go's zeros.
CONFIG: dict[str, Any] = {
    "id": "steady_long",
    "name": "Steady",
    "exchange_provider": "hyperliquid_testnet",
    "market_provider": "hyperliquid_testnet",
    "order_style": "market_ioc",
    "market_ioc_slippage_bps": 75,
    "prompt_template": "/app/etc/prompts/manager/steady.tmpl",
    "executor_prompt_template": "etc/prompts/executor/default_prompt.tmpl",
    "model": "deepseek-chat",
    "decision_interval_duration": 180_000_000_000,
    "risk_params": {
        "max_positions": 3,
        "max_position_size_usd": 500,
        "max_margin_usage_pct": 60,
        "major_coin_leverage": 20,
        "altcoin_leverage": 10,
        "min_risk_reward_ratio": 3,
        "min_confidence": 75,
        "stop_loss_enabled": True,
        "take_profit_enabled": True,
    },
    "exec_guards": {
        "max_new_positions_per_cycle": 0,
        "liquidity_threshold_usd": 0,
        "cooldown_after_close_duration": 0,
        "cooldown_after_close": "",
        "enable_liquidity_guard": None,
        "candidate_limit": 0,
        "pause_duration_on_breach": "",
    },
    "allocation_pct": 40,
    "auto_start": True,
    "journal_enabled": True,
    "journal_dir": "/app/journal/steady_long",
    "decision_interval": "3m",
}


def version(number: int, day: int, **changed: Any) -> dict[str, Any]:
    return {
        "trader_id": "steady_long",
        "version": number,
        "config_snapshot": CONFIG | changed,
        "changed_fields": ["detail"],
        "change_reason": "yaml_sync",
        "changed_by": "system",
        "changed_at": DAY + timedelta(days=day),
    }


def trade(**changed: Any) -> dict[str, Any]:
    close = DAY_MS + HOUR_MS
    detail = {
        "time": {"open_ts_ms": DAY_MS, "close_ts_ms": close, "duration_seconds": 3600},
        "prices": {"entry": 45000.1, "exit": 45500.3},
        "quantity": {"total": 0.01},
        "risk": {"confidence": 85, "leverage": 10},
        "exchange": {"provider": "hyperliquid_testnet"},
        "pnl": {"net": 5.002},
    }
    row: dict[str, Any] = {
        "id": f"steady_long|BTC|{close}000001",
        "trader_id": "steady_long",
        "symbol": "BTC",
        "side": "long",
        "close_ts_ms": close,
        "detail": detail,
    }
    return row | changed


def position(**changed: Any) -> dict[str, Any]:
    detail = {
        "entry": {"price": 45000.1, "quantity": 0.01, "time_ms": DAY_MS, "leverage": 10},
        "exchange": {"provider": "hyperliquid_testnet"},
        "risk": {"confidence": 85, "risk_usd": 50},
        "metrics": {},
        "later": {"leaf": 1},
    }
    row: dict[str, Any] = {
        "id": "steady_long|BTC",
        "trader_id": "steady_long",
        "symbol": "BTC",
        "side": "long",
        "status": "open",
        "detail": detail,
    }
    return row | changed


def fill(database: EarlierDatabase) -> None:
    columns = {"exchange_provider": "hyperliquid_testnet", "market_provider": "x", "allocation_pct": 40}
    database.add("trader_config", {"id": "steady_long", "version": 3, "detail": CONFIG, **columns})
    changed = CONFIG["risk_params"] | {"max_positions": 2}
    database.add("trader_config_history", version(1, -2), version(2, -1), version(3, 1, risk_params=changed))
    database.add("trades", trade())
    database.add("positions", position())
    database.add("account_equity_snapshots", equity(0))
    add_conversation(database, 0)
    database.add("decision_cycles", cycle(0, config_version=2), cycle(30, config_version=3))


def test_details_become_positions_and_trades(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    report = adopt(second)

    assert report["exit_code"] == 0
    made = rows.trade(Trade.objects.get())
    assert (made.detail.pnl.gross, made.detail.pnl.net, made.detail.pnl.commission) == (
        Decimal("5.002"),
        Decimal("5.002"),
        Decimal(0),
    )
    held = rows.position(Position.objects.get())
    assert held.detail.risk is not None
    assert (held.detail.entry.price, held.detail.risk.risk_usd) == (Decimal("45000.1"), Decimal(50))
    assert held.detail.extra == {"later.leaf": 1}
    assert EquitySnapshot.objects.count() == 1


def test_versions_keep_their_numbers_and_dates_and_phantoms_are_marked(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    report = adopt(second)

    found = list(TraderConfigVersion.objects.filter(id="steady_long").order_by("version"))
    assert [(one.version, one.history_date) for one in found] == [
        (1, DAY - timedelta(days=2)),
        (2, DAY - timedelta(days=1)),
        (3, DAY + timedelta(days=1)),
    ]
    assert [one.changed_fields for one in found] == [[], [], ["detail.risk.max_positions"]]
    assert ["phantom" in one.history_change_reason for one in found] == [False, True, False]
    assert (report["traders_moved"], report["phantoms"]) == (["steady_long"], 1)
    config = TraderConfig.objects.get()
    assert (config.version, config.allocation_pct, config.exchange_provider) == (3, Decimal(40), "hyperliquid_testnet")
    assert config.detail["prompts"]["system_template"] == "prompts/manager/steady.tmpl"
    assert config.detail["llm"]["decision_interval_seconds"] == 180


def test_decisions_and_trades_belong_to_the_versions_that_they_name(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    adopt(second)

    assert list(DecisionJournal.objects.order_by("decided_at").values_list("config_version", flat=True)) == [2, 3]
    assert Trade.objects.get().entry_version == 2


def test_a_trader_that_moves_in_is_stopped(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    adopt(second)

    assert [row.kind for row in all_of(["steady_long"])["steady_long"]] == ["stop"]
    assert Trade.objects.filter(detail__against_control__isnull=False).count() == 0


def test_versions_alone_come_before_cycle_files(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    adopt(second, "--only-versions")

    assert (TraderConfig.objects.get().version, Trade.objects.count(), DecisionJournal.objects.count()) == (3, 0, 0)
    adopt(second)
    assert (Trade.objects.count(), DecisionJournal.objects.get(config_version=2).success) == (1, True)


def test_later_versions_come_with_the_next_run(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    adopt(second)
    second.add("trader_config_history", version(4, 2, model="deepseek-reasoner"))
    second.add("decision_cycles", cycle(60, config_version=4))
    report = adopt(second)

    config = TraderConfig.objects.get()
    assert (config.version, config.detail["llm"]["model"]) == (4, "deepseek-reasoner")
    assert DecisionJournal.objects.order_by("-decided_at")[0].config_version == 4
    assert report["tables"]["trader_config_versions"]["known"] == 3


def test_a_dry_run_refuses_what_a_run_would_refuse(second: EarlierDatabase, adopt: Adopt) -> None:
    sync_traders(make_trader("other", allocation_pct=Decimal(70)))
    fill(second)

    with pytest.raises(CommandError, match=r"allocation of the fleet is 110.00 %"):
        adopt(second, "--dry-run")
    assert TraderConfig.objects.count() == 1


def test_a_trader_that_was_synced_keeps_its_own_versions(second: EarlierDatabase, adopt: Adopt) -> None:
    sync_traders(make_trader("steady_long"))
    fill(second)
    report = adopt(second)

    assert TraderConfigVersion.objects.filter(id="steady_long").count() == 1
    assert report["tables"]["trader_config_versions"]["skipped"] == 3
    assert any("left behind" in note for note in report["notes"])
    # Before the first version here; the number of the other database stands beside it.
    first = DecisionJournal.objects.order_by("decided_at")[0]
    assert first.config_version is None
    assert first.detail["origin"]["fields"]["config_version"] == "2"


def test_a_history_with_a_hole_is_refused_and_its_records_come_all_the_same(
    second: EarlierDatabase, adopt: Adopt
) -> None:
    fill(second)
    second.run("DELETE FROM trader_config_history WHERE version = 2")
    report = adopt(second)

    assert report["exit_code"] == 3
    assert report["traders_created"] == ["steady_long"]
    assert Trade.objects.count() == 1


def test_both_sides_of_the_second_schema_are_equal_after_a_move(second: EarlierDatabase, adopt: Adopt) -> None:
    fill(second)
    adopt(second)

    assert adopt(second, "--verify")["exit_code"] == 0
    assert adopt(second)["tables"]["trades"] == {**adopt(second)["tables"]["trades"], "inserted": 0, "known": 1}


def test_the_last_schema_moves_in_as_well(squashed: EarlierDatabase, adopt: Adopt) -> None:
    at = DAY + timedelta(hours=1)
    both = {"symbol_id": "hyperliquid_testnet/BTC", "exchange_provider": "hyperliquid_testnet"}
    made = trade()
    del made["close_ts_ms"]
    squashed.add("trades", made | both | {"event_at": at})
    squashed.add("positions", position() | both | {"event_at": DAY})
    point = {"equity_usd": 1000.5, "available_balance_usd": 900}
    squashed.add("account_snapshots", {"provider": "steady_long", "is_trader": True, "detail": point, "event_at": DAY})
    squashed.add("account_snapshots", {"provider": "hyperliquid", "detail": {"equity_usd": 5}, "event_at": DAY})
    prompt = {"trader_id": "steady_long", "model_id": "deepseek-chat", "conversation_id": "c1", "event_at": DAY}
    squashed.add("conversation_messages", prompt | {"role": "system", "detail": {"content": "Trade."}})
    other = prompt | {"trader_id": "a_trader", "role": "system", "detail": {"content": "Wait."}}
    squashed.add("conversation_messages", other)
    digest = "2a1a7f8d0a5d0b5a"
    decided = {"decisions": [], "prompt_digest": digest, "cot_trace": "It rises."}
    squashed.add("decision_cycles", {"trader_id": "steady_long", "detail": decided, "executed_at": DAY})
    report = adopt(squashed)

    assert report["refused"] == 1
    assert Trade.objects.get().net_pnl == Decimal("5.002")
    assert EquitySnapshot.objects.get().available_usd == 900
    assert DecisionJournal.objects.get().success
    said = dict(ConversationMessage.objects.values_list("trader_id", "content"))
    assert said == {"steady_long": "Trade.", "a_trader": "Wait."}
    assert adopt(squashed, "--verify")["exit_code"] == 0


def test_several_fills_of_one_end_and_leaves_without_a_column_stay_as_they_came(
    second: EarlierDatabase, adopt: Adopt
) -> None:
    fill(second)
    entry = {"type": "entry", "order_id": 1, "price": 45000.1, "quantity": 0.01, "ts_ms": DAY_MS, "fee_unit": "USDC"}
    leave = {"type": "exit", "order_id": 2, "price": 45500.3, "quantity": 0.01, "ts_ms": DAY_MS + HOUR_MS - 5}
    parts = [entry | {"quantity": 0.006}, entry | {"quantity": 0.004, "order_id": 3}, leave]
    for symbol, fills in (("ETH", [entry, leave]), ("SOL", parts)):
        detail = trade()["detail"] | {"fills": fills}
        second.add("trades", trade(id=f"steady_long|{symbol}|1", symbol=symbol, detail=detail))
    adopt(second)

    one, several = (rows.trade(Trade.objects.get(symbol=symbol)).detail for symbol in ("ETH", "SOL"))
    assert [fill.order_id for fill in one.fills] == [1, 2]
    assert one.extra == {"fills.entry.fee_unit": "USDC", "fills.exit.ts_ms": DAY_MS + HOUR_MS - 5}
    assert [(fill.order_id, fill.quantity) for fill in several.fills] == [(None, Decimal("0.01"))] * 2
    assert several.extra is not None
    assert [fill["quantity"] for fill in several.extra["fills"]] == [
        Decimal("0.006"),
        Decimal("0.004"),
        Decimal("0.01"),
    ]


def test_a_trader_with_versions_alone_is_named_by_inspect(second: EarlierDatabase, adopt: Adopt) -> None:
    columns = {"exchange_provider": "x", "market_provider": "x", "allocation_pct": 40, "detail": CONFIG}
    second.add("trader_config", {"id": "steady_long", **columns})
    second.add("trader_config_history", version(1, 0))

    assert adopt(second, "--inspect")["traders"] == {"steady_long": None}


def test_versions_of_two_traders_whose_ids_differ_in_letters_alone_are_not_mixed(
    second: EarlierDatabase, adopt: Adopt
) -> None:
    fill(second)
    columns = {"exchange_provider": "x", "market_provider": "x", "allocation_pct": 40, "detail": CONFIG}
    second.add("trader_config", {"id": "Steady_Long", **columns})
    rows_ = [version(number, number) | {"trader_id": "Steady_Long"} for number in (1, 2)]
    second.add("trader_config_history", *rows_)
    first, again = adopt(second), adopt(second)

    assert [len(report["traders_moved"]) for report in (first, again)] == [1, 0]
    assert all(report["exit_code"] == 3 for report in (first, again))
    assert set(TraderConfigVersion.objects.values_list("id", flat=True)) == {first["traders_moved"][0]}
