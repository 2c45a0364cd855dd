from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from traders.schema.paths import ABSENT
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.words import settings as words


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("detail.risk.max_position_size_usd", Decimal("12500.50"), "12,500.5 USD"),
        ("detail.risk.major_coin_leverage", 20, "20x"),
        ("allocation_pct", Decimal("40.00"), "40 %"),
        ("detail.risk.min_confidence", 75, "75"),
        ("detail.llm.decision_interval_seconds", 5400, "1 h 30 min"),
        ("detail.exec_guards.cooldown_after_close_seconds", 0, "0 s"),
        ("detail.risk.stop_loss_enabled", False, "off"),
        ("detail.llm.model", "", "empty"),
        ("detail.prompts.system_sha256", "0123456789abcdef" * 4, "0123456789ab"),
        ("detail.cloned_from", {"trader_id": "a", "version": 3}, "a v3"),
        ("detail.extra.team", {"a": Decimal("1.10")}, '{"a":1.10}'),
        ("detail.extra.team", ABSENT, "not set"),
    ],
)
def test_values_are_shown_with_their_units(path: str, value: Any, shown: str) -> None:
    assert words.value(TRADER_SETTINGS.get(path), value) == shown


def test_a_path_is_shown_in_words() -> None:
    assert words.place(TRADER_SETTINGS, "detail.risk.max_positions") == "Risk - max positions"
    assert words.place(TRADER_SETTINGS, "detail.exec_guards.btceth_position_value_min_equity_multiple") == (
        "Execution guards - BTC and ETH position value, min"
    )
    assert words.place(TRADER_SETTINGS, "detail.extra.team") == "Extra - team"


def test_ranges_are_said_in_few_characters() -> None:
    assert words.allowed(TRADER_SETTINGS["detail.risk.major_coin_leverage"]) == "1 to 200"
    assert words.allowed(TRADER_SETTINGS["detail.order.slippage_bps"]) == "above 0, up to 10,000"
    assert words.allowed(TRADER_SETTINGS["detail.llm.model"]) == ""
