"""Slips of the keyboard in manager.yaml: each is named in plain words on its own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traders.manager_yaml.sample import MANAGER, refused, write_sample
from traders.manager_yaml.reader import read_manager_yaml

COLON = "has the full-width colon ： after {0}; write {0}: with a colon and a blank"
TAB = "is indented with a tab; indent with spaces"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("    model: gpt-5", "    model： gpt-5", 13, COLON.format("model")),
        ("    model: gpt-5", "    model：gpt-5\n    # a comment", 13, COLON.format("model")),
        ("  - id: trader_x", "  - id： trader_x", 7, COLON.format("id")),
        ("traders:\n", "traders：\n", 6, COLON.format("traders")),
        ("manager:\n", "manager：\n", 1, COLON.format("manager")),
        ("    risk_params:\n", "    risk_params：\n", 16, COLON.format("risk_params")),
        ("  metrics_exporter: prometheus", "  metrics_exporter： prometheus", 23, COLON.format("metrics_exporter")),
        ("    model: gpt-5", "    extra: {}\n    ? model： gpt-5", 14, COLON.format("model")),
        ("    model: gpt-5", "\tmodel: gpt-5", 13, TAB),
        ("      max_positions: 3", "    \tmax_positions: 3", 17, TAB),
        ("  metrics_exporter", "\tmetrics_exporter", 23, TAB),
    ],
)
def test_a_slip_is_named_on_its_own_line(tmp_path: Path, right: str, wrong: str, line: int, message: str) -> None:
    found = refused(write_sample(tmp_path, MANAGER.replace(right, wrong))).splitlines()
    assert any(one.startswith(f"manager.yaml:{line}: ") and message in one for one in found), found
    assert not any("is not YAML" in one for one in found)


def test_every_slip_of_a_file_is_named(tmp_path: Path) -> None:
    text = MANAGER.replace("name: Long", "name： Long").replace("model: gpt-5", "model： gpt-5")
    text = text.replace("      max_positions", "\t\t  max_positions")
    assert refused(write_sample(tmp_path, text)).splitlines() == [
        f"manager.yaml:8: {COLON.format('name')}",
        f"manager.yaml:13: {COLON.format('model')}",
        f"manager.yaml:17: {TAB}",
    ]


def test_a_text_may_hold_both(tmp_path: Path) -> None:
    text = MANAGER.replace("    model: gpt-5", "    description: BTC：主流币\tETH\n    model: gpt-5")
    assert read_manager_yaml(write_sample(tmp_path, text)).traders["trader_x"]


def test_another_mistake_is_not_called_a_slip_of_a_line_far_from_it(tmp_path: Path) -> None:
    text = MANAGER.replace("    name: Long", "    name: Long\n    description: |\n      a： b\n      c").replace(
        "    model: gpt-5", "    model: [gpt-5"
    )
    assert "is not YAML" in refused(write_sample(tmp_path, text))
