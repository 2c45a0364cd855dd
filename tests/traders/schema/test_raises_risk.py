"""Each setting knows which direction of a change raises risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Riskier, Setting

SETTINGS = TRADER_SETTINGS | FLEET_SETTINGS
DIRECTED = [setting for setting in SETTINGS.values() if setting.riskier and setting.riskier is not Riskier.WIDER]


@pytest.mark.parametrize(
    ("path", "safer", "riskier"),
    [
        ("allocation_pct", Decimal("10"), Decimal("10.01")),
        ("detail.retired", True, False),
        ("detail.order.slippage_bps", 50, 51),
        ("detail.risk.max_positions", 3, 4),
        ("detail.risk.max_position_size_usd", 500, Decimal("500.5")),
        ("detail.risk.max_margin_usage_pct", 60, 61),
        ("detail.risk.major_coin_leverage", 10, 20),
        ("detail.risk.altcoin_leverage", 5, 6),
        ("detail.risk.min_risk_reward_ratio", 3, Decimal("2.5")),
        ("detail.risk.min_confidence", 75, 60),
        ("detail.risk.stop_loss_enabled", True, False),
        ("detail.risk.take_profit_enabled", True, False),
        ("detail.exec_guards.enable_liquidity_guard", True, False),
        ("detail.exec_guards.enable_cooldown_guard", True, False),
        ("detail.exec_guards.cooldown_after_close_seconds", 900, 0),
        ("detail.exec_guards.liquidity_threshold_usd", 1000, 0),
        ("detail.exec_guards.candidate_limit", 10, 20),
        ("detail.manager.reserve_equity_pct", 10, 5),
        ("detail.manager.total_equity_usd", 10_000, 20_000),
    ],
)
def test_one_direction_raises_risk_and_the_other_does_not(path: str, safer: Any, riskier: Any) -> None:
    assert SETTINGS[path].raises_risk(safer, riskier)
    assert not SETTINGS[path].raises_risk(riskier, safer)


@pytest.mark.parametrize(
    "path",
    [
        "detail.exec_guards.max_new_positions_per_cycle",
        "detail.exec_guards.btceth_position_value_max_equity_multiple",
        "detail.exec_guards.alt_position_value_max_equity_multiple",
    ],
)
def test_an_upper_limit_that_zero_switches_off_is_riskiest_at_zero(path: str) -> None:
    setting = SETTINGS[path]
    assert setting.raises_risk(2, 3)
    assert setting.raises_risk(2, 0)
    assert not setting.raises_risk(0, 2)
    assert not setting.raises_risk(0, setting.maximum)


@pytest.mark.parametrize(
    "path",
    [
        "detail.exec_guards.btceth_position_value_min_equity_multiple",
        "detail.exec_guards.alt_position_value_min_equity_multiple",
        "detail.exec_guards.sharpe_pause_threshold",
    ],
)
def test_a_lower_limit_that_zero_switches_off_is_riskiest_at_zero(path: str) -> None:
    setting = SETTINGS[path]
    assert setting.raises_risk(Decimal("1"), Decimal("0.5"))
    assert setting.raises_risk(Decimal("0.5"), 0)
    assert not setting.raises_risk(0, Decimal("0.5"))


def test_a_negative_threshold_is_still_one() -> None:
    threshold = SETTINGS["detail.exec_guards.sharpe_pause_threshold"]
    assert threshold.raises_risk(Decimal("-0.5"), Decimal("-1"))
    assert threshold.raises_risk(Decimal("-1"), 0)
    assert not threshold.raises_risk(0, Decimal("-1"))


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("detail.display_name", "a", "b"),
        ("detail.llm.model", "a", "b"),
        ("detail.llm.decision_interval_seconds", 60, 180),
        ("detail.order.style", "limit_ioc", "market_ioc"),
        ("detail.journal.enabled", True, False),
    ],
)
def test_other_settings_have_no_riskier_direction(path: str, one: Any, other: Any) -> None:
    assert not SETTINGS[path].raises_risk(one, other)
    assert not SETTINGS[path].raises_risk(other, one)


@pytest.mark.parametrize("setting", DIRECTED, ids=lambda setting: setting.path)
@given(st.data())
def test_what_raises_risk_one_way_does_not_the_other(setting: Setting, data: st.DataObject) -> None:
    values = st.booleans() if setting.minimum is None else st.integers(int(setting.minimum), 1000)
    old, new = data.draw(values), data.draw(values)

    assert (setting.raises_risk(old, new), setting.raises_risk(new, old)) == (
        (False, False) if old == new else (setting.raises_risk(old, new), not setting.raises_risk(old, new))
    )


@pytest.mark.parametrize("setting", DIRECTED, ids=lambda setting: setting.path)
def test_a_value_that_was_not_there_before_raises_nothing(setting: Setting) -> None:
    assert not setting.raises_risk(None, 1)
    assert not setting.raises_risk(1, None)
    assert not setting.raises_risk(Decimal("3.00"), 3)


@pytest.mark.parametrize(
    ("old", "new", "raises"),
    [
        (["BTC"], [], True),
        ([], ["BTC"], False),
        (["BTC"], ["BTC", "ETH"], True),
        (["BTC"], ["ETH"], True),
        (["BTC", "ETH"], ["ETH"], False),
    ],
)
def test_more_allowed_symbols_raise_risk_and_an_empty_list_allows_all(
    old: list[str], new: list[str], raises: bool
) -> None:
    assert SETTINGS["detail.exec_guards.allowed_symbols"].raises_risk(old, new) is raises
