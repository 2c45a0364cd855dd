"""What there is to move in, and whether both sides are equal afterwards."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from tests.trading.imports.adopt.conftest import Adopt
from tests.trading.imports.adopt.earlier import DAY_MS, EarlierDatabase, add_conversation, fill, trade
from trading.models import Trade

pytestmark = pytest.mark.django_db


def test_both_sides_are_equal_after_a_move(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    legacy.add("trades", trade(8, side="flat"), trade(9, model_id="buynhold_btc"))
    add_conversation(legacy, 7)
    report = adopt(legacy)
    found = adopt(legacy, "--verify")

    assert report["notes"] == ["rows of a benchmark, which is no trader: 1"]
    assert found["exit_code"] == 0
    trades = [one for one in found["comparisons"] if one["what"] == "trades"]
    assert {one["trader"]: one["there"]["rows"] for one in trades} == {"steady_long": 3, "buynhold_btc": 1}
    assert next(one["explained"] for one in trades if one["trader"] == "steady_long")["refused"]["rows"] == 1
    assert {one["what"] for one in found["comparisons"]} == {
        *("trades", "positions open", "positions closed", "decisions", "messages", "equity")
    }


def test_verify_finds_what_is_missing_and_what_differs(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    adopt(legacy)
    legacy.add("trades", trade(20))
    legacy.run("UPDATE trades SET realized_net_pnl = 6 WHERE symbol = 'ETH'")
    found = adopt(legacy, "--verify")

    (differing,) = [one for one in found["comparisons"] if one["difference"]]
    assert found["exit_code"] == 1
    assert differing["difference"] == {"rows": 1, "gross": Decimal("5.002"), "net": Decimal("12.102")}


def test_a_refused_amount_beyond_all_money_hides_no_difference(legacy: EarlierDatabase, adopt: Adopt) -> None:
    small = 1.2345678901234567e-12
    legacy.add("trades", trade(0, realized_net_pnl=123456789012.25), trade(1, realized_net_pnl=small))
    legacy.add("trades", trade(2, realized_net_pnl=1e300))
    adopt(legacy)
    equal = adopt(legacy, "--verify")
    legacy.run("UPDATE trades SET realized_net_pnl = 0 WHERE realized_net_pnl < 1")
    differs = adopt(legacy, "--verify")

    assert equal["exit_code"] == 0
    assert [one["difference"]["net"] for one in differs["comparisons"]] == [-Decimal(repr(small))]


def test_what_is_left_behind_is_counted_with_its_reason(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    legacy.add("accounts", {"model_id": "steady_long", "exchange_provider": "x", "margin_mode": "cross"})
    left = {(one["table"], one["column"]): one for one in adopt(legacy)["left_behind"]}

    assert left["account_equity_snapshots", "cum_pnl_pct"]["rows"] == 2
    assert "exchange.yaml" in left["accounts", "margin_mode"]["reason"]


AGAIN = "what an engine reports of itself: the next engine reports again"


def test_states_of_engines_are_counted_each_column_with_its_reason(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("trader_state", {"trader_id": "steady_long", "exchange_provider": "x", "market_provider": "x"})
    legacy.run("UPDATE trader_state SET pause_until = now(), cooldown = '{\"BTC\": 1}', allocation_pct = 10")

    left = {one["column"]: (one["rows"], one["reason"]) for one in adopt(legacy, "--dry-run")["left_behind"]}

    assert left["pause_until"] == (1, AGAIN)
    assert left["cooldown"] == (1, "no program ever wrote it")
    assert left["allocation_pct"] == (1, "settings come from manager.yaml")


def test_cooldowns_and_runtime_states_are_counted_with_a_reason_each(second: EarlierDatabase, adopt: Adopt) -> None:
    second.run("INSERT INTO trader_config VALUES ('steady_long', 1, 'x', 'x', 10, '{}')")
    second.run("INSERT INTO trader_runtime_state (trader_id, is_running) VALUES ('steady_long', true)")
    second.run(
        "INSERT INTO trader_symbol_cooldowns VALUES ('steady_long', 'BTC', now()), ('steady_long', 'ETH', now())"
    )

    found = adopt(second, "--dry-run")["left_behind"]
    left = {(one["table"], one["column"]): (one["rows"], one["reason"]) for one in found}

    ends = "pauses of a symbol that the earlier engine decided: they end by themselves"
    assert left["trader_symbol_cooldowns", "symbol"] == (2, ends)
    assert left["trader_runtime_state", "is_running"] == (1, AGAIN)


def test_inspect_says_what_is_there_and_what_follows(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    legacy.add("trades", trade(9, symbol="NOSUCH", exit_ts_ms=DAY_MS // 1000))
    found = adopt(legacy, "--inspect")

    assert found["tables"]["trades"]["rows"] == 3
    assert found["tables"]["trades"]["first"] == "2025-11-03T10:30:00+00:00"
    assert found["traders"] == {"steady_long": None}
    assert found["unknown_symbols"] == ["NOSUCH"]
    assert "layout" in found["redis"]
    assert any("--add-symbols NOSUCH" in step for step in found["steps"])
    assert Trade.objects.count() == 0


def test_our_own_database_is_no_source(legacy: EarlierDatabase) -> None:
    legacy.run("CREATE TABLE trader_config_versions (id int); GRANT SELECT ON trader_config_versions TO earlier_reader")
    with pytest.raises(CommandError, match="NOF0 Control itself"):
        call_command("adopt", "--from", legacy.dsn)
