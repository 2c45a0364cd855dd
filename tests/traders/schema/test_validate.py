"""The one validation that the file, the forms and the services share."""

from __future__ import annotations

from typing import Any

import pytest

from traders.schema.paths import unflatten
from traders.schema.problems import InvalidConfig
from traders.schema.settings.validate import validate_fleet, validate_trader

TRADER = {
    "exchange_provider": "paper",
    "market_provider": "hyperliquid",
    "detail.display_name": "Long",
    "detail.prompts.system_template": "prompts/long.tmpl",
    "detail.risk.max_positions": 3,
    "detail.risk.max_position_size_usd": 500,
    "detail.risk.major_coin_leverage": 20,
    "detail.risk.altcoin_leverage": 10,
    "detail.risk.min_risk_reward_ratio": 3,
}
FLEET = {
    "detail.manager.state_storage_backend": "file",
    "detail.manager.state_storage_path": "state.json",
    "detail.monitoring.metrics_exporter": "prometheus",
}


def trader_problems(**changes: Any) -> list[tuple[str, str, str]]:
    nested = unflatten({**TRADER, **{path.replace("__", "."): value for path, value in changes.items()}})
    with pytest.raises(InvalidConfig) as caught:
        validate_trader("trader_x", nested)
    return [(problem.trader_id, problem.path, problem.message) for problem in caught.value.problems]


def test_a_valid_trader_has_its_defaults() -> None:
    assert validate_trader("trader_x", unflatten(TRADER)).detail.llm.decision_interval_seconds == 180


def test_a_valid_fleet_has_its_defaults() -> None:
    assert validate_fleet(unflatten(FLEET)).detail.manager.rebalance_interval_seconds == 3600


def test_values_and_secrets_are_reported_together() -> None:
    found = trader_problems(detail__risk__max_positions=0, detail__journal__dir="https://a:b@x.org")
    assert [(trader_id, path) for trader_id, path, _ in found] == [
        ("trader_x", "detail.journal.dir"),
        ("trader_x", "detail.risk.max_positions"),
    ]
    assert "a:b" not in found[0][2]


def test_a_name_of_blanks_is_no_name() -> None:
    assert trader_problems(detail__display_name=" \u00a0 ") == [
        ("trader_x", "detail.display_name", "must be a text of 1 to 120 characters, was ' \\xa0 '")
    ]


def test_paths_of_prompts_stay_below_the_file() -> None:
    [(_, path, message)] = trader_problems(detail__prompts__system_template="../x.tmpl")
    assert path == "detail.prompts.system_template"
    assert message.endswith("'../x.tmpl' leads out of it")


def test_the_digests_of_prompts_are_no_secrets() -> None:
    nested = unflatten({**TRADER, "detail.prompts.system_sha256": "0123456789abcdef" * 4})
    assert validate_trader("trader_x", nested).detail.prompts.system_sha256 == "0123456789abcdef" * 4


def test_a_secret_of_the_fleet_is_refused() -> None:
    with pytest.raises(InvalidConfig) as caught:
        validate_fleet(unflatten({**FLEET, "detail.extra": {"telegram": {"bot_token": "x"}}}))
    assert [problem.path for problem in caught.value.problems] == ["detail.extra.telegram.bot_token"]


def test_unknown_settings_are_refused() -> None:
    assert trader_problems(detail__risk__leverage=3) == [("trader_x", "detail.risk.leverage", "is not a known setting")]


def test_a_text_that_turns_its_direction_is_refused() -> None:
    turned = "must not hold the character U+202E, which turns the direction of a text"
    assert trader_problems(detail__display_name="Long\u202etrohS") == [("trader_x", "detail.display_name", turned)]
    assert trader_problems(detail__extra={"team": {"a\u202e": 1}}) == [("trader_x", "detail.extra.team", turned)]
    assert validate_trader("trader_x", unflatten(TRADER | {"detail.display_name": "שלום 👩‍💻"}))


def test_a_trader_with_paper_capital_of_its_own_has_no_allocation() -> None:
    problems = trader_problems(detail__paper_capital_usd=5000, allocation_pct=5)
    assert [(path, message) for _, path, message in problems] == [
        (
            "allocation_pct",
            "must be 0 for a trader with paper capital of its own (detail.paper_capital_usd), was 5",
        )
    ]
    assert validate_trader("trader_x", unflatten(TRADER | {"detail.paper_capital_usd": 5000}))
