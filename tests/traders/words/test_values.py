"""Values of settings as pages say them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.words import settings as words


@pytest.mark.parametrize(
    ("path", "stored", "said"),
    [
        ("detail.exec_guards.max_daily_loss_usd", 0, "no limit"),
        ("detail.exec_guards.max_daily_loss_usd", Decimal("250.50"), "250.5 USD"),
        ("detail.exec_guards.llm_daily_budget_tokens", 0, "no limit"),
        ("detail.exec_guards.sharpe_pause_threshold", Decimal(0), "off"),
        ("detail.risk.max_margin_usage_pct", 0, "no limit"),
        ("detail.exec_guards.liquidity_threshold_usd", 0, "off"),
        ("allocation_pct", 0, "0 %"),
    ],
)
def test_zero_is_said_as_what_it_means(path: str, stored: int, said: str) -> None:
    assert words.value(TRADER_SETTINGS[path], stored) == said


def test_no_share_of_the_fleet_held_back_is_zero_percent() -> None:
    assert words.value(FLEET_SETTINGS["detail.manager.reserve_equity_pct"], 0) == "0 %"
    assert words.value(FLEET_SETTINGS["detail.manager.fleet_max_daily_loss_pct"], 0) == "no limit"


def test_the_source_admin_is_not_said_like_a_role() -> None:
    assert words.source("admin") == "page"
