"""What a manager does with manager.yaml when it starts: it applies what it can, says the rest, and runs anyway."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import save_edit
from tests.traders.manager_yaml.sample import MANAGER, write_sample
from traders.versions import services as configs
from trading.manager.running.starting import sync_file

pytestmark = pytest.mark.django_db


def started(path: Path) -> list[str]:
    """What it says."""
    said: list[str] = []
    sync_file(path, said.append)
    return said


def setting(name: str) -> object:
    return configs.existing("trader_x").flat[f"detail.{name}"]


def test_what_changed_in_the_file_is_applied_without_a_word(tmp_path: Path) -> None:
    path = write_sample(tmp_path)
    assert started(path) == []
    assert setting("risk.max_positions") == 3

    path.write_text(MANAGER.replace("max_positions: 3", "max_positions: 2"))
    assert started(path) == []
    assert (setting("risk.max_positions"), configs.existing("trader_x").reason) == (2, "the manager started")
    assert started(path) == []
    assert configs.existing("trader_x").version == 2


def test_a_conflict_is_said_what_stands_stays_and_the_rest_is_applied(tmp_path: Path) -> None:
    path = write_sample(tmp_path)
    started(path)
    save_edit("trader_x", detail__risk__max_positions=7)
    path.write_text(MANAGER.replace("max_positions: 3", "max_positions: 2").replace("interval: 3m", "interval: 5m"))

    for _start in range(2):
        assert started(path) == [
            f"{path} conflicts with what is stored. What is stored runs; sync_traders shows the conflicts."
        ]
    assert (setting("risk.max_positions"), setting("llm.decision_interval_seconds")) == (7, 300)
    assert configs.existing("trader_x").version == 3


@pytest.mark.parametrize("written", ["traders: [", "", MANAGER.replace("40", "140"), MANAGER.replace("gpt-5", "gpt-0")])
def test_a_file_that_cannot_be_applied_is_said_and_changes_nothing(tmp_path: Path, written: str) -> None:
    path = write_sample(tmp_path)
    started(path)
    path.write_text(written)

    [said] = started(path)

    assert said.startswith(f"{path} was not synced, and traders run as they are stored: ")
    assert configs.existing("trader_x").version == 1


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "manager.yaml"

    assert started(path) == [f"{path} is not there; traders run as they are stored."]
