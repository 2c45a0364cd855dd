"""`run_manager --share` as processes: two managers and a fleet. No trader is run twice and none is missed; those of a
manager that was killed hold still, are shown as silent, and go on with the next manager of their share."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.platform.processes import Machine
from tests.platform.soak.fleet import PaperFleet, name_of, paper_fleet
from trading.manager.rules.share import FleetShare

pytestmark = pytest.mark.faults

TRADERS = 8
SHARES = ("1/2", "2/2")
# {trader: [its state now, its state a minute later, why entries are banned six minutes later]}, without any report
# meanwhile.
SHOWN = """
import django; django.setup()
import json
from datetime import timedelta
from django.utils import timezone
from traders.controls.wanted import wanted_of
from traders.models import TraderConfig
from traders.runtime.states import state_of_trader
now = timezone.now()
traders = list(TraderConfig.objects.select_related("runtime_state"))
later = wanted_of([trader.pk for trader in traders], now + timedelta(minutes=6))
print(json.dumps({
    trader.pk: [
        state_of_trader(trader, now),
        state_of_trader(trader, now + timedelta(seconds=62)),
        [cause.kind for cause in later[trader.pk].causes],
    ]
    for trader in traders
}))
"""


def members(share: str) -> list[str]:
    return sorted(FleetShare.read(share).of({name_of(number): None for number in range(TRADERS)}))


def decided_since(fleet: PaperFleet, before: dict[str, int]) -> set[str]:
    return {name for name, cycle in fleet.cycles().items() if cycle > before.get(name, 0)}


def test_two_managers_of_halves_run_each_trader_once_and_none_is_missed(
    migrated_machine: Machine, tmp_path: Path
) -> None:
    halves = [members(share) for share in SHARES]
    assert all(halves), "both managers need traders"
    with paper_fleet(migrated_machine, tmp_path, TRADERS) as fleet:
        first, second = (fleet.manager("--share", share) for share in SHARES)
        assert [f"Runs {len(half)} traders." in one.said for half, one in zip(halves, (first, second), strict=True)]

        began, before = time.monotonic(), fleet.cycles()
        fleet.await_cycles(halves[0] + halves[1], 4)
        lasted = time.monotonic() - began
        # With an interval of a second, two managers of one trader would make twice as many cycles.
        most = max(cycle - before.get(name, 0) for name, cycle in fleet.cycles().items())
        assert most <= lasted + 2

        first.kill()
        held_still = fleet.cycles()
        fleet.await_cycles(halves[1], 4)
        assert decided_since(fleet, held_still) == set(halves[1]), "those of a manager that is gone do not decide"
        shown = json.loads(migrated_machine.python(SHOWN))
        assert {name: shown[name] for name in halves[0]} == {
            name: ["running", "stale", ["stale_equity"]] for name in halves[0]
        }
        assert {shown[name][0] for name in halves[1]} == {"running"}

        # A second manager of the other half waits, and takes over.
        standby = fleet.manager("--share", SHARES[1])
        assert "Another manager runs part 2 of 2 of the traders; waiting to take over." in standby.said
        second.kill()
        standby.says(f"Runs {len(halves[1])} traders.")
        fleet.await_cycles(halves[1], 2)
        assert decided_since(fleet, held_still) == set(halves[1])

        again = fleet.manager("--share", SHARES[0])
        fleet.await_cycles(halves[0] + halves[1], 2)

        # One of all traders takes none that another one holds, and those that are let go of.
        beside = fleet.manager()
        assert "Runs 0 traders." in beside.said
        again.signal(signal.SIGTERM)
        assert again.end() == 0
        fleet.await_cycles(halves[0], 2)
        fleet.end(standby, beside)
        tried = fleet.prove()
    assert tried.decisions > 10 * TRADERS
