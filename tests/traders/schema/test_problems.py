"""Every message names the path, the value and what would be right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.factories import BASE, FLEET
from traders.schema.messages import _
from traders.schema.paths import unflatten
from traders.schema.problems import InvalidConfig, Problem, expected, shown
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.validate import validate_fleet, validate_trader


def messages(changes: dict[str, Any], *, without: str = "") -> list[str]:
    flat = {path: value for path, value in (BASE | changes).items() if path != without}
    with pytest.raises(InvalidConfig) as caught:
        validate_trader("steady", unflatten(flat))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("detail.risk.max_positions", 0, "must be a whole number from 1 to 1000, was 0"),
        ("detail.risk.max_positions", Decimal("2.5"), "must be a whole number from 1 to 1000, was 2.5"),
        ("detail.risk.max_positions", True, "must be a whole number from 1 to 1000, was True"),
        ("detail.risk.major_coin_leverage", "20x", "must be a whole number from 1 to 200 (x), was '20x'"),
        ("detail.risk.max_position_size_usd", 0, "must be a number above 0 and up to 1000000000 (USD), was 0"),
        ("detail.order.slippage_bps", -1, "must be a number above 0 and up to 10000 (bps), was -1"),
        ("detail.risk.max_margin_usage_pct", 100.5, "must be a number from 0 to 100 (%), was 100.5"),
        ("allocation_pct", Decimal("10.001"), "must have at most 2 decimals, was 10.001"),
        ("allocation_pct", Decimal("NaN"), "must be a number from 0 to 100 (%), was NaN"),
        ("allocation_pct", Decimal("1e400"), "must be a number from 0 to 100 (%), was 1E+400"),
        ("detail.risk.stop_loss_enabled", "yes", "must be true or false, was 'yes'"),
        ("detail.risk.stop_loss_enabled", 1, "must be true or false, was 1"),
        ("detail.order.style", "market", "must be one of limit_ioc, market_ioc, was 'market'"),
        ("detail.display_name", "", "must be a text of 1 to 120 characters, was ''"),
        ("detail.display_name", 7, "must be a text of 1 to 120 characters, was 7"),
        ("detail.display_name", "a\x07b", "must not hold the character U+0007"),
        (
            "detail.llm.decision_interval_seconds",
            0,
            "must be a duration of whole seconds such as 45s, 3m or 1h30m, from 1s to 168h, was 0",
        ),
        ("detail.risk.leverage", 3, "is not a known setting"),
        ("detail.cloned_from", {"trader_id": "a"}, "is missing"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_what_would_be_right(path: str, value: Any, message: str) -> None:
    [found] = messages({path: value})

    assert found.startswith(f"steady: {path}")
    assert found.endswith(message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("detail.risk.max_positions", "is missing; it must be a whole number from 1 to 1000"),
        ("exchange_provider", "is missing; it must be a text of 1 to 100 characters"),
    ],
)
def test_a_missing_value_is_named_with_what_it_must_be(path: str, message: str) -> None:
    assert messages({}, without=path) == [f"steady: {path} {message}"]


def test_every_problem_is_told_at_once() -> None:
    found = messages({"detail.risk.max_positions": 0, "detail.order.style": "x", "allocation_pct": 101})

    assert [line.split()[1] for line in found] == [
        "allocation_pct",
        "detail.order.style",
        "detail.risk.max_positions",
    ]


def test_bands_the_wrong_way_round_are_named() -> None:
    bands = "detail.exec_guards.btceth_position_value"
    [found] = messages({f"{bands}_min_equity_multiple": 5, f"{bands}_max_equity_multiple": 2})

    assert found == (
        "steady: detail.exec_guards btceth_position_value_min_equity_multiple (5) must not exceed "
        "btceth_position_value_max_equity_multiple (2)"
    )


def test_a_band_without_an_upper_end_has_no_order() -> None:
    path = "detail.exec_guards.alt_position_value_min_equity_multiple"

    assert (
        validate_trader("a", unflatten(BASE | {path: 5})).detail.exec_guards.alt_position_value_min_equity_multiple == 5
    )


def test_a_problem_of_the_fleet_names_no_trader() -> None:
    with pytest.raises(InvalidConfig) as caught:
        validate_fleet(unflatten(FLEET | {"detail.manager.reserve_equity_pct": 101}))

    assert str(caught.value) == "detail.manager.reserve_equity_pct must be a number from 0 to 100 (%), was 101"


def test_a_problem_without_a_path_reads_as_a_sentence() -> None:
    assert str(Problem("", _("is not in manager.yaml"), "steady")) == "steady is not in manager.yaml"


def test_a_long_value_is_cut_and_a_secret_hidden() -> None:
    assert shown("x" * 200) == "'" + "x" * 76 + "..."
    assert shown("ghp_0123456789abcdefghijABCDEFGHIJ01") == "a GitHub token (not shown)"
    assert shown(Decimal("1.50")) == "1.50"


@pytest.mark.parametrize(
    "setting", [*TRADER_SETTINGS.values(), *FLEET_SETTINGS.values()], ids=lambda setting: setting.path
)
def test_every_setting_can_say_what_it_takes(setting: Any) -> None:
    assert expected(setting).startswith(("a ", "one of ", "true or false"))
    assert "None" not in expected(setting)


def test_a_duration_as_a_text_is_answered_with_its_seconds() -> None:
    (message,) = messages({"detail.llm.decision_interval_seconds": "5m"})
    assert "the number of whole seconds, here 300: only manager.yaml writes a duration, was '5m'" in message
