"""What a valid manager.yaml means."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tests.traders.manager_yaml.sample import MANAGER, NEIGHBOURS, SECOND, write_sample
from traders.manager_yaml.file import KnownNames, PromptRules
from traders.manager_yaml.neighbours import known_names
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml import nodes
from traders.schema.settings.trader import TraderSpec

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "manager.yaml"


def trader(tmp_path: Path, old: str = "", new: str = "") -> TraderSpec:
    return read_manager_yaml(write_sample(tmp_path, MANAGER.replace(old, new) if old else MANAGER)).traders["trader_x"]


def test_the_sample_with_its_defaults(tmp_path: Path) -> None:
    found = read_manager_yaml(write_sample(tmp_path))
    spec = found.traders["trader_x"]
    assert (spec.exchange_provider, spec.allocation_pct, spec.detail.display_name) == ("paper", Decimal(40), "Long")
    assert spec.detail.llm.decision_interval_seconds == 180
    assert spec.detail.order.slippage_bps == 50
    assert spec.detail.risk.min_confidence == 0
    assert spec.detail.exec_guards.enable_cooldown_guard is True
    assert found.fleet.detail.manager.rebalance_interval_seconds == 3600
    assert found.fleet.detail.monitoring.update_interval_seconds == 30
    assert found.lines == {"trader_x": 7}
    assert found.warnings == ()
    assert found.sha256 == hashlib.sha256(MANAGER.encode()).hexdigest()


def test_prompts_are_kept_by_the_digest_of_their_bytes(tmp_path: Path) -> None:
    found = read_manager_yaml(write_sample(tmp_path))
    digest = hashlib.sha256(NEIGHBOURS["prompts/long.tmpl"].encode()).hexdigest()
    named = found.traders["trader_x"].detail.prompts
    assert (named.system_template, named.system_version, named.system_sha256) == ("prompts/long.tmpl", "v1.0.0", digest)
    assert found.prompts[digest].body == NEIGHBOURS["prompts/long.tmpl"]
    assert len(found.prompts) == 2


def test_another_text_of_a_prompt_is_another_config(tmp_path: Path) -> None:
    before = trader(tmp_path)
    (tmp_path / "prompts/long.tmpl").write_text("{{/* Version: v1.0.0 */}}\nBuy lower.\n")
    assert read_manager_yaml(tmp_path / "manager.yaml").traders["trader_x"] != before


@pytest.mark.parametrize(
    "text", ["yes", "No", "010", "12:30", "1e3", "0x1F", "2026-01-02", "1_000", "3.0", ".inf", "true"]
)
def test_a_text_is_read_as_written(tmp_path: Path, text: str) -> None:
    assert trader(tmp_path, "name: Long", f"name: {text}").detail.display_name == text
    assert trader(tmp_path, "name: Long", f"name: '{text}'").detail.display_name == text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3.0", Decimal("3.0")),
        ("2.50", Decimal("2.50")),
        (".5", Decimal("0.5")),
        ("1e2", Decimal(100)),
        ("+4", Decimal(4)),
    ],
)
def test_numbers_keep_their_digits(tmp_path: Path, written: str, value: Decimal) -> None:
    found = trader(tmp_path, "min_risk_reward_ratio: 3.0", f"min_risk_reward_ratio: {written}")
    assert str(found.detail.risk.min_risk_reward_ratio) == str(value)


def test_a_whole_number_may_be_written_with_a_point(tmp_path: Path) -> None:
    assert trader(tmp_path, "max_positions: 3", "max_positions: 3.0").detail.risk.max_positions == 3


@pytest.mark.parametrize("null", ["", "~", "null", "NULL"])
def test_null_means_left_out(tmp_path: Path, null: str) -> None:
    found = trader(tmp_path, "decision_interval: 3m", f"decision_interval: {null}\n    exec_guards: {null}")
    assert found.detail.llm.decision_interval_seconds == 180
    assert found.detail.exec_guards.candidate_limit == 10


def test_texts_that_look_like_null_are_texts_in_quotes(tmp_path: Path) -> None:
    assert trader(tmp_path, "name: Long", "name: 'null'").detail.display_name == "null"


def test_order_styles_are_lower_cased(tmp_path: Path) -> None:
    assert trader(tmp_path, "model: gpt-5", "order_style: Market_IOC").detail.order.style == "market_ioc"


def test_optional_keys_of_a_trader(tmp_path: Path) -> None:
    spec = trader(
        tmp_path,
        "    model: gpt-5\n",
        "    description: |\n      Two\n      lines\n    retired: true\n"
        "    journal_enabled: TRUE\n    journal_dir: j/${HOST}\n"
        "    cloned_from: {trader_id: trader_a, version: 7}\n    exec_guards: {cooldown_after_close: 1h30m}\n",
    )
    detail = spec.detail
    assert detail.description == "Two\nlines"
    assert detail.retired is True
    assert (detail.journal.enabled, detail.journal.dir) == (True, "j/${HOST}")
    assert detail.cloned_from is not None
    assert (detail.cloned_from.trader_id, detail.cloned_from.version) == ("trader_a", 7)
    assert detail.exec_guards.cooldown_after_close_seconds == 5400


def test_extra_follows_yaml_1_2(tmp_path: Path) -> None:
    written = """extra:
      texts: [yes, no, on, off, 12:30, 2026-01-02, 1_000, "3", 1.2.3, -x]
      numbers: [3, -4, 0x1F, 0o17, 1.50, 1e3, .5]
      others: [true, False, null, ~, {a: {b: []}}]"""
    extra = trader(tmp_path, "model: gpt-5", written).detail.extra
    assert extra["texts"] == ["yes", "no", "on", "off", "12:30", "2026-01-02", "1_000", "3", "1.2.3", "-x"]
    assert extra["numbers"] == [3, -4, 31, 15, Decimal("1.50"), Decimal(1000), Decimal("0.5")]
    assert str(extra["numbers"][4]) == "1.50"
    assert extra["others"] == [True, False, None, None, {"a": {"b": []}}]


def test_the_fleet_has_an_extra_of_its_own(tmp_path: Path) -> None:
    found = read_manager_yaml(write_sample(tmp_path, MANAGER + "extra:\n  desk: Zurich\n"))
    assert found.fleet.detail.extra == {"desk": "Zurich"}


def test_traders_share_settings_by_anchors_and_merge_keys(tmp_path: Path) -> None:
    first = MANAGER.replace("risk_params:", "risk_params: &risk")
    second = SECOND[: SECOND.index("    risk_params:")] + "    risk_params:\n      <<: *risk\n      max_positions: 9\n"
    third = second.replace("trader_y", "trader_z").replace("\n      <<: *risk\n      max_positions: 9", " *risk")
    found = read_manager_yaml(
        write_sample(tmp_path, first.replace("monitoring:", second + third + "monitoring:"))
    ).traders
    assert [found[name].detail.risk.max_positions for name in ("trader_x", "trader_y", "trader_z")] == [3, 9, 3]
    assert found["trader_y"].detail.risk.altcoin_leverage == 10


def test_of_several_merged_mappings_the_first_wins(tmp_path: Path) -> None:
    written = "extra: {a: &a {k: 1}, b: &b {k: 2, l: 3}, c: {<<: [*a, *b]}}"
    assert trader(tmp_path, "model: gpt-5", written).detail.extra["c"] == {"k": 1, "l": 3}


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    plain = read_manager_yaml(write_sample(tmp_path))
    windows = read_manager_yaml(write_sample(tmp_path, b"\xef\xbb\xbf" + MANAGER.replace("\n", "\r\n").encode()))
    assert (windows.fleet, windows.traders, windows.lines) == (plain.fleet, plain.traders, plain.lines)


def test_an_explicit_empty_fleet_is_read_with_a_warning(tmp_path: Path) -> None:
    manager = MANAGER[: MANAGER.index("traders:")] + "traders: []\n" + MANAGER[MANAGER.index("monitoring:") :]
    found = read_manager_yaml(write_sample(tmp_path, manager))
    assert found.traders == {}
    assert found.warnings == ("the file declares no trader: a trading engine does not start with it",)


def test_without_neighbours_nothing_is_checked_against_them_and_that_is_said(tmp_path: Path) -> None:
    absent = {"exchange_yaml": None, "market_yaml": None, "llm_yaml": None, "executor_yaml": None}
    found = read_manager_yaml(
        write_sample(tmp_path, MANAGER.replace("paper", "unheard_of").replace("gpt-5", "any"), **absent)
    )
    assert found.known == KnownNames()
    assert found.warnings == (
        "exchange.yaml is not beside the file: exchange providers are not checked",
        "market.yaml is not beside the file: market providers are not checked",
        "llm.yaml is not beside the file: models are not checked",
        "executor.yaml is not beside the file: versions of prompts are not checked",
    )


@pytest.mark.parametrize("model", ["", "openai/gpt-5", "deepseek-chat"])
def test_models_may_be_empty_listed_or_of_a_provider(tmp_path: Path, model: str) -> None:
    assert trader(tmp_path, "model: gpt-5", f"model: '{model}'").detail.llm.model == model


def test_a_lenient_executor_yaml_turns_versions_into_warnings(tmp_path: Path) -> None:
    lenient = "prompt_schema_version: v2\nprompt_validation: {strict_mode: false, require_version_header: false}\n"
    path = write_sample(tmp_path, executor_yaml=lenient)
    (tmp_path / "prompts/long.tmpl").write_text("no header")
    assert read_manager_yaml(path).warnings == (
        "a trader names 'prompts/long.tmpl', which has no header such as {{/* Version: v2 */}}",
        "a trader names 'prompts/executor.tmpl' of version v1.0.0, but executor.yaml expects v2",
    )


def test_known_names_are_those_of_the_files_beside_it(tmp_path: Path) -> None:
    write_sample(tmp_path)
    assert known_names(tmp_path) == KnownNames(
        exchange_providers=("paper", "testnet"),
        market_providers=("hyperliquid",),
        models=("gpt-5", "deepseek-chat"),
        prompt_rules=PromptRules(expected_version="v1.0.0", strict=True, header_required=True),
    )


def test_it_reads_the_same_without_libyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sample(tmp_path)
    with_libyaml = read_manager_yaml(path)
    monkeypatch.setattr(nodes, "_Loader", yaml.BaseLoader)
    assert read_manager_yaml(path) == with_libyaml


@pytest.mark.skipif(not SHARED.exists(), reason="the shared sample data is not beside the checkout")
def test_the_shared_sample_is_read_whole() -> None:
    found = read_manager_yaml(SHARED)
    assert list(found.lines.items()) == [("trader_aggressive_short", 10), ("trader_conservative_long", 33)]
    assert found.warnings == ()
    assert {name: spec.allocation_pct for name, spec in found.traders.items()} == {
        "trader_aggressive_short": 40,
        "trader_conservative_long": 30,
    }
    assert {prompt.version for prompt in found.prompts.values()} == {"v1.0.0"}
    assert len(found.prompts) == 3
