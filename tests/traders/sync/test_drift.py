from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import make_trader, sync_traders
from tests.traders.manager_yaml.sample import MANAGER, write_sample
from traders.manager_yaml.reader import read_manager_yaml
from traders.sync.drift import describe_drift
from traders.sync.services import sync

pytestmark = pytest.mark.django_db


def test_what_differs_from_the_file_is_counted(tmp_path: Path) -> None:
    path = write_sample(tmp_path, MANAGER)
    sync(file=read_manager_yaml(path), actor="cli:mei")
    assert describe_drift(path) == f"{path} is as synced last."

    path.write_text(path.read_text().replace("max_positions: 3", "max_positions: 4"))
    assert describe_drift(path) == f"{path} differs from what is stored: 1 to update."


def test_a_file_that_the_stored_fleet_rules_out_is_told_and_stops_nothing(tmp_path: Path) -> None:
    sync_traders(make_trader("elsewhere", allocation_pct=Decimal(90)))
    path = write_sample(tmp_path, MANAGER)

    said = describe_drift(path)
    assert said.startswith(f"{path} cannot be synced:\n{path}:7: trader_x: allocation_pct makes the fleet's sum ")
    assert "(elsewhere 90.00 %): retire them with --retire-missing" in said


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert describe_drift(tmp_path / "none.yaml").endswith("none.yaml: does not exist")
