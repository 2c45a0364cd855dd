"""One wrong place in manager.yaml: refused, with file, line, trader, key, value and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traders.manager_yaml.sample import MANAGER, SECOND, line_of, refused, write_sample
from traders.manager_yaml.reader import read_manager_yaml

POSITIONS = "risk_params.max_positions must be a whole number from 1 to 1000, was"
DURATION = "decision_interval must be a duration of whole seconds such as 45s, 3m or 1h30m, from 1s to 168h, was"
SHARE = "allocation_pct must be a number from 0 to 100 (%), was"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("max_positions: 20x", f"{POSITIONS} 20x"),
        ('max_positions: "20x"', f"{POSITIONS} the text '20x'"),
        ('max_positions: "20"', f"{POSITIONS} the text '20'; write 20 without quotes"),
        ("max_positions: true", f"{POSITIONS} true"),
        ("max_positions: 3.5", f"{POSITIONS} 3.5"),
        ("max_positions: -3", f"{POSITIONS} -3"),
        ("max_positions: 0", f"{POSITIONS} 0"),
        ("max_positions: .nan", f"{POSITIONS} .nan"),
        ("max_positions: .inf", f"{POSITIONS} .inf"),
        ("max_positions: -.inf", f"{POSITIONS} -.inf"),
        ("max_positions: 1e400", f"{POSITIONS} 1e400"),
        ("max_positions: 010", f"{POSITIONS} 010; some YAML readers take it as octal, write 10"),
        ("max_positions: 0x1F", f"{POSITIONS} 0x1F; write 31"),
        ("max_positions: 1_000", f"{POSITIONS} 1_000; write 1000"),
        ("max_positions: 12:30", f"{POSITIONS} 12:30; some YAML readers take it as a number to the base of 60"),
        ("max_positions: ${MOST}", f"{POSITIONS} ${{MOST}}; variables stand in texts only"),
        ("max_positions: [3]", f"{POSITIONS} a list"),
        ("max_positions: {most: 3}", f"{POSITIONS} a mapping"),
        ("max_positions:", "risk_params.max_positions is missing; it must be a whole number from 1 to 1000"),
    ],
)
def test_a_whole_number(tmp_path: Path, written: str, message: str) -> None:
    manager = MANAGER.replace("max_positions: 3", written)
    assert refused(write_sample(tmp_path, manager)) == f"manager.yaml:17: trader_x: {message}"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("allocation_pct: 33.333", "allocation_pct must have at most 2 decimals, was 33.333"),
        ("allocation_pct: 1e-3", "allocation_pct must have at most 2 decimals, was 0.001"),
        ("allocation_pct: 100.01", f"{SHARE} 100.01"),
        ("allocation_pct: -1", f"{SHARE} -1"),
        ("allocation_pct: NaN", f"{SHARE} NaN"),
        ("allocation_pct: 1e400", f"{SHARE} 1e400"),
        ("allocation_pct: 40%", f"{SHARE} 40%"),
        ("allocation_pct: '40'", f"{SHARE} the text '40'; write 40 without quotes"),
        ("decision_interval: 180", f"{DURATION} 180; write 180s for seconds"),
        ("decision_interval: 12:30", f"{DURATION} 12:30"),
        ("decision_interval: 3 minutes", f"{DURATION} 3 minutes"),
        ("decision_interval: 500ms", f"{DURATION} 500ms"),
        ("decision_interval: -3m", f"{DURATION} -3m"),
        ("decision_interval: 0", f"{DURATION} 0"),
        ("decision_interval: 1d", f"{DURATION} 1d"),
        (f"decision_interval: {'9' * 5000}h", f"{DURATION} '{'9' * 76}..."),
        ("auto_start: yes", "auto_start must be true or false, was yes; write true"),
        ("auto_start: off", "auto_start must be true or false, was off; write false"),
        ("auto_start: 1", "auto_start must be true or false, was 1; write true"),
        ('auto_start: "true"', "auto_start must be true or false, was the text 'true'; write true without quotes"),
        ("order_style: market", "order_style must be one of limit_ioc, market_ioc, was 'market'"),
        ("order_style: [market_ioc]", "order_style must be one of limit_ioc, market_ioc, was a list"),
        ("cloned_from: trader_y", "cloned_from must be a mapping of trader_id and version, was trader_y"),
        (
            "cloned_from: {trader_id: y, version: 0}",
            "cloned_from.version must be a whole number from 1, was 0",
        ),
        ("retired: !!bool true", "retired has the YAML tag '!!bool'; write the value without a tag"),
        ("exec_guards: 3", "exec_guards must be a mapping of settings, was 3"),
        ("extra: 3", "extra must be a mapping of extension keys to JSON values, was 3"),
        (
            "exec_guards: {alt_position_value_min_equity_multiple: 3, alt_position_value_max_equity_multiple: 2}",
            "exec_guards alt_position_value_min_equity_multiple (3) must not exceed "
            "alt_position_value_max_equity_multiple (2)",
        ),
    ],
)
def test_settings_of_other_kinds(tmp_path: Path, written: str, message: str) -> None:
    manager = MANAGER.replace("    allocation_pct: 40\n", f"    {written}\n").replace("    decision_interval: 3m\n", "")
    expected = f"manager.yaml:14: trader_x: {message}"
    assert refused(write_sample(tmp_path, manager)) == expected


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("alocation_pct", "alocation_pct is not a known setting; did you mean allocation_pct?"),
        ("Model_", "Model_ is not a known setting; did you mean model?"),
        ("max_positions", "max_positions is not a known setting here; it belongs under risk_params:"),
        ("my_signal", "my_signal is not a known setting; settings of your own go under extra:"),
        ('"model "', "'model ' is not a known setting; did you mean model?"),
        ("traders", "traders is not a known setting; settings of your own go under extra:"),
        ("schema_version", "schema_version is not a known setting; settings of your own go under extra:"),
    ],
)
def test_an_unknown_key_of_a_trader(tmp_path: Path, key: str, message: str) -> None:
    manager = MANAGER.replace("    allocation_pct: 40\n", f"    {key}: 40\n")
    assert refused(write_sample(tmp_path, manager)) == f"manager.yaml:15: trader_x: {message}"


def test_an_unknown_key_of_a_section_or_of_the_file(tmp_path: Path) -> None:
    manager = MANAGER.replace("      altcoin", "      model: x\n      altcoin") + "webhook: x\nreserve_equity_pct: 1\n"
    assert refused(write_sample(tmp_path, manager)).splitlines() == [
        "manager.yaml:20: trader_x: risk_params.model is not a known setting of risk_params; "
        "it belongs one level up, beside risk_params:",
        "manager.yaml:25: webhook is not a known setting; settings of your own go under extra:",
        "manager.yaml:26: reserve_equity_pct is not a known setting here; it belongs under manager:",
    ]


def test_missing_settings_are_named_one_by_one(tmp_path: Path) -> None:
    manager = MANAGER[: MANAGER.index("    risk_params:")].replace("    name: Long\n", "")
    manager = manager.replace("  state_storage_path: ../data/state.json\n", "") + "monitoring: null\n"
    assert refused(write_sample(tmp_path, manager)).splitlines() == [
        "manager.yaml:1: manager.state_storage_path is missing; it must be a text of 1 to 500 characters",
        "manager.yaml:6: trader_x: name is missing; it must be a text of 1 to 120 characters",
        "manager.yaml:6: trader_x: risk_params.max_positions is missing; it must be a whole number from 1 to 1000",
        "manager.yaml:6: trader_x: risk_params.max_position_size_usd is missing; "
        "it must be a number above 0 and up to 1000000000 (USD)",
        "manager.yaml:6: trader_x: risk_params.major_coin_leverage is missing; "
        "it must be a whole number from 1 to 200 (x)",
        "manager.yaml:6: trader_x: risk_params.altcoin_leverage is missing; "
        "it must be a whole number from 1 to 200 (x)",
        "manager.yaml:6: trader_x: risk_params.min_risk_reward_ratio is missing; "
        "it must be a number above 0 and up to 1000",
        "manager.yaml:14: monitoring.metrics_exporter is missing; it must be a text of 1 to 100 characters",
    ]


ID_RULE = "1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("id: a b", f"must be {ID_RULE}, was a b"),
        ("id: ${ID}", f"must be {ID_RULE}, was ${{ID}}"),
        ("id: -x", f"must be {ID_RULE}, was -x"),
        ("id: [x]", f"must be {ID_RULE}, was a list"),
        ("id: ~", f"is missing; it must be {ID_RULE}"),
        (f"id: {'x' * 65}", f"must be {ID_RULE}, was {'x' * 65}"),
    ],
)
def test_a_trader_without_a_usable_id_is_named_by_its_position(tmp_path: Path, written: str, message: str) -> None:
    manager = MANAGER.replace("id: trader_x", written)
    assert refused(write_sample(tmp_path, manager)) == f"manager.yaml:7: traders[0]: id {message}"


def test_an_id_taken_twice_names_both_lines(tmp_path: Path) -> None:
    manager = MANAGER.replace("monitoring:", SECOND.replace("trader_y", "trader_x") + "monitoring:")
    assert refused(write_sample(tmp_path, manager)) == (
        "manager.yaml:22: trader_x: id is taken twice, on lines 7 and 22; give each its own"
    )


def test_ids_that_differ_only_in_case_are_the_same(tmp_path: Path) -> None:
    manager = MANAGER.replace("monitoring:", SECOND.replace("trader_y", "Trader_X") + "monitoring:")
    assert refused(write_sample(tmp_path, manager)) == (
        "manager.yaml:22: Trader_X: id is taken twice, on lines 7 (as trader_x; ids differ in more than upper and "
        "lower case) and 22; give each its own"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "exchange_provider: papr",
            "must be a provider of exchange.yaml (paper, testnet), was 'papr'; did you mean paper?",
        ),
        ("market_provider: binance", "must be a provider of market.yaml (hyperliquid), was 'binance'"),
        (
            "model: gpt5",
            "must be empty, a model of llm.yaml (gpt-5, deepseek-chat) or provider/model, was 'gpt5'; "
            "did you mean gpt-5?",
        ),
    ],
)
def test_names_that_the_files_beside_it_do_not_define(tmp_path: Path, value: str, message: str) -> None:
    key = value.split(":")[0]
    old = next(line for line in MANAGER.splitlines() if line.strip().startswith(f"{key}:"))
    manager = MANAGER.replace(old, f"    {value}")
    assert (
        refused(write_sample(tmp_path, manager)) == f"manager.yaml:{line_of(MANAGER, old)}: trader_x: {key} {message}"
    )


SECRET = "write ${NAME} and set NAME in the environment: history keeps secrets for ever"


@pytest.mark.parametrize(
    ("after", "written", "place"),
    [
        ("monitoring:", "  alert_webhook: https://hooks.slack.com/services/T00/B00/XyZ", "monitoring.alert_webhook"),
        ("monitoring:", "  alert_webhook: https://x.io/?token=abc", "monitoring.alert_webhook"),
        ("model: gpt-5", "    description: call me at https://me:pw@x.io", "trader_x: description"),
        ("model: gpt-5", "    extra: {api_key: hunter2}", "trader_x: extra.api_key"),
        ("model: gpt-5", "    extra: {auth: [{bot-token: hunter2}]}", "trader_x: extra.auth.0.bot-token"),
        ("model: gpt-5", "    extra: {x: ghp_0123456789abcdefghij0123}", "trader_x: extra.x"),
    ],
)
def test_a_secret_is_refused_and_not_shown(tmp_path: Path, after: str, written: str, place: str) -> None:
    manager = MANAGER.replace(after, f"{after}\n{written}")
    message = refused(write_sample(tmp_path, manager))
    assert message.startswith(f"manager.yaml:{line_of(manager, after) + 1}: {place} holds what looks like ")
    assert message.endswith(SECRET)
    for secret in ("hunter2", "XyZ", "abc", "me:pw", "ghp_"):
        assert secret not in message


def test_a_secret_in_the_place_of_a_number_is_not_shown_either(tmp_path: Path) -> None:
    manager = MANAGER.replace("max_positions: 3", "max_positions: ghp_0123456789abcdefghij0123")
    assert (
        refused(write_sample(tmp_path, manager)) == f"manager.yaml:17: trader_x: {POSITIONS} a GitHub token (not shown)"
    )


def test_variables_stand_as_written(tmp_path: Path) -> None:
    manager = MANAGER.replace("monitoring:", "monitoring:\n  alert_webhook: https://hooks.slack.com/services/${HOOK}")
    manager = manager.replace("model: gpt-5", "model: gpt-5\n    extra: {api_key: '${API_KEY}'}")
    found = read_manager_yaml(write_sample(tmp_path, manager))
    assert found.fleet.detail.monitoring.alert_webhook == "https://hooks.slack.com/services/${HOOK}"
    assert found.traders["trader_x"].detail.extra == {"api_key": "${API_KEY}"}


def test_all_problems_are_reported_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    bad = SECOND.replace("max_positions: 3", "max_positions: x").replace("name: Long", "name: !x y")
    manager = MANAGER.replace("monitoring:", bad + "monitoring:").replace(
        "total_equity_usd: 10000", "total_equity_usd: -1"
    )
    lines = [line.split(" ")[0:3] for line in refused(write_sample(tmp_path, manager)).splitlines()]
    assert lines == [
        ["manager.yaml:2:", "manager.total_equity_usd", "must"],
        ["manager.yaml:23:", "trader_y:", "name"],
        ["manager.yaml:32:", "trader_y:", "risk_params.max_positions"],
    ]


def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    manager = MANAGER[: MANAGER.index("traders:")] + f"traders: [{'{}, ' * 100_000}]\n"
    lines = refused(write_sample(tmp_path, manager)).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "manager.yaml: and 950 more problems at least"
