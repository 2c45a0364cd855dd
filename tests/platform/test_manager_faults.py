"""A manager that is killed at random moments of its cycles, twenty times.

What it leaves is whole, and nothing is sent twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.platform.processes import Machine
from tests.platform.soak.fleet import name_of, paper_fleet

pytestmark = pytest.mark.faults
KILLS = 20
TRADERS = 4


def test_twenty_kills_lose_nothing_and_send_nothing_twice(migrated_machine: Machine, tmp_path: Path) -> None:
    chance = random.Random(20)
    with paper_fleet(migrated_machine, tmp_path, TRADERS) as fleet:
        for _kill in range(KILLS):
            manager = fleet.manager()
            time.sleep(chance.uniform(0.05, 2.5))
            manager.kill()
        last = fleet.manager()
        fleet.await_cycles([name_of(number) for number in range(TRADERS)], 3)
        fleet.end(last)
        tried = fleet.prove()
    assert tried.entries >= 10, f"too few entries were tried: {tried}"
