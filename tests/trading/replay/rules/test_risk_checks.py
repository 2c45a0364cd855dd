"""Every rule at its limit, beyond it, and without its data."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from tests.trading.replay.rules.moments import DECIDED_AT, decision, held, moment, settings
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.words.messages import translated
from trading.replay.rules.risk_checks import CHECKS, judge, refusals
from trading.schema.common import Side
from trading.schema.decision import Account, Action, JournalCooldown, Quote

DOCS = Path(__file__).resolve().parents[4] / "docs" / "risk-checks.md"
MS = 1000


def rules(made: Any, at: Any = None, **changed: Any) -> list[str]:
    return [refusal.rule for refusal in refusals(made, settings(**changed), at or moment())]


def account(**values: Any) -> Any:
    return moment(account=Account.model_validate({name: Decimal(value) for name, value in values.items()}))


def quoted(price: int | None, open_interest: int) -> Any:
    quote = Quote(symbol="SOL", price=None if price is None else Decimal(price), open_interest=Decimal(open_interest))
    return moment(market=(quote,))


def cooling(seconds: int, symbol: str = "SOL") -> Any:
    until = int((DECIDED_AT + timedelta(seconds=seconds)).timestamp() * MS)
    return moment(cooldowns=(JournalCooldown(symbol=symbol, until_ms=until),))


COOL = {"exec_guards__cooldown_after_close_seconds": 600}
LIQUID = {"exec_guards__liquidity_threshold_usd": Decimal(500_000)}
MARGIN = {"risk__max_margin_usage_pct": Decimal(18)}
SHARPE = {"exec_guards__sharpe_pause_threshold": Decimal("0.5")}
BAND = {
    "exec_guards__alt_position_value_min_equity_multiple": Decimal("0.4"),
    "exec_guards__alt_position_value_max_equity_multiple": Decimal("0.4"),
}


def test_a_sound_entry_passes_every_rule() -> None:
    assert rules(decision()) == []


@pytest.mark.parametrize(
    ("rule", "made", "at", "changed"),
    [
        ("min_confidence", decision(confidence=Decimal(74)), None, {}),
        ("max_leverage", decision(leverage=Decimal(11)), None, {}),
        ("max_leverage", decision(symbol="BTC", leverage=Decimal(21)), moment(positions=()), {}),
        ("max_position_size_usd", decision(position_size_usd=Decimal("500.01")), None, {}),
        ("max_positions", decision(), moment(positions=(held("A"), held("B"), held("C"))), {}),
        ("max_positions", decision(), moment(opened=(decision(symbol="A"), decision(symbol="B"))), {}),
        ("min_risk_reward_ratio", decision(take_profit=Decimal("105.99")), None, {}),
        ("max_margin_usage_pct", decision(position_size_usd=Decimal("400.1")), None, MARGIN),
        ("max_margin_usage_pct", decision(), account(equity_usd=0, used_margin_usd=0), MARGIN),
        ("value_band", decision(position_size_usd=Decimal("399.9")), None, BAND),
        ("value_band", decision(position_size_usd=Decimal("400.1")), None, BAND),
        ("liquidity", decision(), quoted(99, 5000), LIQUID),
        ("cooldown", decision(), cooling(1), COOL),
        ("max_new_positions_per_cycle", decision(), moment(opened=(decision(symbol="A"),)), {
            "exec_guards__max_new_positions_per_cycle": 1}),
        ("candidate", decision(), moment(candidates=("BTC", "ETH")), {}),
        ("candidate", decision(), None, {"exec_guards__candidate_limit": 1}),
        ("symbols", decision(), None, {"exec_guards__allowed_symbols": ["BTC", "SOLANA"]}),
        ("sharpe_pause", decision(), account(equity_usd=1000, used_margin_usd=0, sharpe_ratio="0.49"), SHARPE),
        ("already_held", decision(), moment(positions=(held("SOL", Side.SHORT),)), {}),
        ("already_held", decision(), moment(opened=(decision(),)), {}),
        ("stop_loss", decision(stop_loss=Decimal(100)), None, {}),
        ("take_profit", decision(take_profit=Decimal(100)), None, {}),
        ("stop_loss", decision(action=Action.OPEN_SHORT), None, {}),
        ("order_values", decision(entry_price=Decimal(0)), None, {}),
        ("order_values", decision(position_size_usd=Decimal(0)), None, {}),
        ("nothing_to_close", decision(action=Action.CLOSE_SHORT, symbol="BTC"), None, {}),
    ],
)  # fmt: skip
def test_a_rule_refuses_what_is_beyond_its_limit(rule: str, made: Any, at: Any, changed: dict[str, Any]) -> None:
    assert rule in rules(made, at, **changed)


@pytest.mark.parametrize(
    ("rule", "made", "at", "changed"),
    [
        ("min_confidence", decision(confidence=Decimal(75)), None, {}),
        ("max_leverage", decision(leverage=Decimal(10)), None, {}),
        ("max_leverage", decision(symbol="ETHUSDT", leverage=Decimal(20)), None, {}),
        ("max_position_size_usd", decision(position_size_usd=Decimal(500)), None, {}),
        ("max_positions", decision(), moment(positions=(held("A"), held("B"))), {}),
        ("min_risk_reward_ratio", decision(take_profit=Decimal(106)), None, {}),
        ("max_margin_usage_pct", decision(), None, MARGIN),
        ("max_margin_usage_pct", decision(), account(equity_usd=0), {}),
        ("max_margin_usage_pct", decision(), account(), {**MARGIN, "exec_guards__enable_margin_usage_guard": False}),
        ("value_band", decision(), None, BAND),
        ("value_band", decision(symbol="BTC", position_size_usd=Decimal(1)), None, BAND),
        ("liquidity", decision(), None, LIQUID),
        ("cooldown", decision(), cooling(0), COOL),
        ("cooldown", decision(), cooling(100, "BTC"), COOL),
        ("cooldown", decision(), cooling(100), {**COOL, "exec_guards__enable_cooldown_guard": False}),
        ("sharpe_pause", decision(), None, SHARPE),
        ("symbols", decision(), None, {"exec_guards__allowed_symbols": []}),
        ("symbols", decision(symbol="kPEPE"), None, {"exec_guards__allowed_symbols": ["KPEPE"]}),
        ("symbols", decision(action=Action.CLOSE_LONG), None, {"exec_guards__allowed_symbols": ["BTC"]}),
        ("stop_loss", decision(action=Action.OPEN_SHORT, stop_loss=Decimal(102), take_profit=Decimal(90)), None, {}),
        ("nothing_to_close", decision(action=Action.CLOSE_LONG, symbol="BTC"), None, {}),
        ("order_values", decision(action=Action.HOLD, entry_price=None), None, {}),
    ],
)
def test_a_rule_lets_through_what_is_at_its_limit_or_switched_off(
    rule: str, made: Any, at: Any, changed: dict[str, Any]
) -> None:
    assert rule not in rules(made, at, **changed)


@pytest.mark.parametrize(
    ("rule", "made", "at", "changed", "missing"),
    [
        ("min_confidence", decision(confidence=None), None, {}, "names no confidence"),
        ("max_leverage", decision(leverage=None), None, {}, "names no leverage"),
        ("max_position_size_usd", decision(position_size_usd=None), None, {}, "names no position_size_usd"),
        ("max_positions", decision(), moment(positions=None), {}, "open positions"),
        ("already_held", decision(), moment(positions=None), {}, "open positions"),
        ("nothing_to_close", decision(action=Action.CLOSE_LONG), moment(positions=None), {}, "open positions"),
        ("stop_loss", decision(stop_loss=None), None, {}, "names no stop_loss"),
        ("take_profit", decision(take_profit=None), None, {"risk__take_profit_enabled": True}, "names no take_profit"),
        ("min_risk_reward_ratio", decision(take_profit=None), None, {}, "names no take_profit"),
        ("max_margin_usage_pct", decision(), moment(account=None), MARGIN, "equity"),
        ("max_margin_usage_pct", decision(), account(equity_usd=1), MARGIN, "margin in use"),
        ("max_margin_usage_pct", decision(leverage=None), None, MARGIN, "leverage"),
        ("value_band", decision(), moment(account=None), BAND, "equity"),
        ("liquidity", decision(), moment(market=None), LIQUID, "open interest of SOL"),
        ("liquidity", decision(), quoted(None, 1), LIQUID, "price of SOL"),
        ("cooldown", decision(), moment(cooldowns=None), COOL, "cooldowns"),
        ("candidate", decision(), moment(candidates=None), {}, "candidates"),
        ("sharpe_pause", decision(), account(), SHARPE, "Sharpe ratio"),
    ],
)
def test_a_rule_without_its_data_refuses_and_says_which(
    rule: str, made: Any, at: Any, changed: dict[str, Any], missing: str
) -> None:
    found = {refusal.rule: refusal for refusal in refusals(made, settings(**changed), at or moment())}
    assert missing in found[rule].missing
    assert found[rule].message.startswith("cannot be checked: ")


def test_a_refusal_carries_its_numbers_and_the_setting_behind_them() -> None:
    (refusal,) = refusals(decision(leverage=Decimal(12)), settings(), moment())
    assert refusal.message == "12x in SOL is more than 10x"
    assert (refusal.setting, refusal.limit, refusal.value) == ("detail.risk.altcoin_leverage", 10, Decimal(12))


def test_a_symbol_that_is_not_allowed_is_refused_with_the_list() -> None:
    (refusal,) = refusals(decision(), settings(exec_guards__allowed_symbols=["BTC", "ETH"]), moment())
    assert refusal.message == "SOL is none of the 2 allowed symbols: BTC, ETH"
    assert refusal.setting == "detail.exec_guards.allowed_symbols"

    (refusal,) = refusals(decision(), settings(exec_guards__allowed_symbols=[f"A{n}" for n in range(12)]), moment())
    assert refusal.message.endswith("none of the 12 allowed symbols: A0, A1, A10, A11, A2, A3, A4, A5, A6, A7, ...")


def test_a_refusal_says_the_side_in_the_language_of_the_page() -> None:
    (already,) = refusals(decision(), settings(), moment(positions=(held("SOL", Side.SHORT),)))
    (nothing,) = refusals(decision(action=Action.CLOSE_SHORT, symbol="BTC"), settings(), moment())
    assert already.message == "a short position in SOL is already open"
    with translation.override("zh-hans"):
        said = translated(already.message), translated(nothing.message)
    assert said == ("SOL 已有空方向的未平仓持仓", "BTC 没有空方向的未平仓持仓")


def test_a_cooldown_ends_in_the_zone_of_the_viewer() -> None:
    (refusal,) = refusals(decision(), settings(**COOL), cooling(90))
    ends = DECIDED_AT + timedelta(seconds=90)
    assert refusal.message == f"the cooldown of SOL ends at {ends:%Y-%m-%d %H:%M:%S} UTC, in 1 min 30 s"
    with timezone.override("Asia/Shanghai"):
        local = ends.astimezone(ZoneInfo("Asia/Shanghai"))
        assert f"ends at {local:%Y-%m-%d %H:%M:%S} UTC+8, in" in translated(refusal.message)


def test_the_margin_in_use_may_be_told_as_a_percentage() -> None:
    at = account(equity_usd=1000, used_margin_pct=10)
    assert rules(decision(), at, **MARGIN) == []
    assert rules(decision(position_size_usd=Decimal(401)), at, **MARGIN) == ["max_margin_usage_pct"]


def test_entries_of_a_cycle_count_for_those_after_it_and_closes_come_first() -> None:
    full = moment(positions=(held("A"), held("B"), held("BTC")), candidates=("SOL", "XRP"))
    close = decision(symbol="BTC", action=Action.CLOSE_LONG)
    first, second, third = judge([decision(), decision(symbol="XRP"), close], settings(), full)
    assert (first, third) == ((), ())
    assert [refusal.rule for refusal in second] == ["max_positions"]


@pytest.mark.parametrize("action", [Action.HOLD, Action.WAIT])
def test_doing_nothing_is_never_refused(action: Action) -> None:
    bare = moment(account=None, positions=None, market=None, candidates=None, cooldowns=None)
    assert rules(decision(action=action, confidence=None, leverage=None), bare, **COOL, **MARGIN, **SHARPE) == []


def test_every_rule_is_explained_and_every_setting_it_names_exists() -> None:
    text = DOCS.read_text()
    assert [check.__name__ for check in CHECKS if f"`{check.__name__}`" not in text] == []
    assert [path for path in re.findall(r"`(detail\.[a-z_.]+)`", text) if path not in TRADER_SETTINGS] == []
