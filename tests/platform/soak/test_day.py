"""A day of a fleet in minutes: traders that decide every few seconds, people and tools that edit, pin, pause and stop,
a part that is killed now and then, and a backup in the middle. Afterwards everything must agree with everything else,
and so must the fleet that the backup is restored into."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.platform.forks import Forked
from tests.platform.processes import Machine, wait_for
from tests.platform.soak.fleet import PaperFleet, Tried
from tests.platform.soak.hands import SCOPES, Acknowledged, Hands, client, unkept
from tests.platform.soak.options import SoakOptions
from tests.platform.soak.site import Site, working_site

SHARES = ("1/2", "2/2")
SHORT_TRADERS, SHORT_SECONDS, SHORT_SEED = 12, 14.0, 3
# A manager more often than what rarely ends.
VICTIMS = ("manager", "manager", "manager", "web", "exporter", "postgres", "redis", "postgres restart", "redis restart")
QUIET_SECONDS = (2.0, 20.0)


def lived(site: Site, seconds: float, chance: random.Random) -> None:
    """So many seconds, in which parts are killed; at least one manager is."""
    deadline, victim = time.monotonic() + seconds, "manager"
    while time.monotonic() < deadline:
        time.sleep(min(chance.uniform(*QUIET_SECONDS), max(0.5, (deadline - time.monotonic()) / 2)))
        if victim == "manager":
            share = chance.choice(SHARES)
            site.note(f"kill manager {share}")
            site.managers[share].kill()
        elif victim.endswith(" restart"):
            site.restart(victim.removesuffix(" restart"))
        else:
            site.kill(victim)
        site.start()
        victim = chance.choice(VICTIMS)
    site.await_work()


def run_day(
    machine: Machine, restored: Machine, directory: Path, *, traders: int, seconds: float, interval: int, seed: int
) -> Tried:
    chance = random.Random(seed)
    with (
        working_site(machine, directory, traders, shares=SHARES, seconds=interval) as site,
        client(site.fleet, site.port, "hands", *SCOPES) as api,
    ):
        hands = Hands(api, site.names, seed)
        with hands:
            lived(site, seconds / 2, chance)
            known, archive = list(hands.acknowledged), directory / "day.backup"
            backup = site.fleet.forks.start("backup", str(archive))
            site.await_work()
            assert backup.end() == 0, backup.said
            lived(site, seconds / 2, chance)
        hands.free()
        site.await_work()
        tried = site.prove()
        assert unkept(site.fleet, hands.acknowledged) == []
    with restored_fleet(restored, machine, archive) as fleet:
        prove_restored(fleet, known)
    return tried


@contextmanager
def restored_fleet(machine: Machine, source: Machine, archive: Path) -> Iterator[PaperFleet]:
    """The backup, in a data directory that held nothing, with the files of the fleet that it was made of."""
    machine.settings = source.settings
    holder, _said = machine.hold_servers()
    directory = archive.parent / "restored"
    directory.mkdir()
    fleet = PaperFleet(machine, directory)
    said = fleet.forks.run("restore", str(archive))
    assert "Restored" in said, said
    try:
        yield fleet
    finally:
        holder.kill()


def prove_restored(fleet: PaperFleet, acknowledged: list[Acknowledged]) -> None:
    """What was acknowledged before the backup is in it; its rows agree; its manager finishes what was under way when it
    was made, and enters nothing."""
    assert unkept(fleet, acknowledged) == []
    fleet.forks.run("check_record")
    entries = fleet.rows("SELECT count(*) FROM manager_orders WHERE kind = 'entry'")
    manager: Forked = fleet.manager()
    reports = "SELECT count(*) FROM trader_runtime_state WHERE updated_at > pg_postmaster_start_time() AND is_running"
    everyone = fleet.rows("SELECT count(*) FROM trader_runtime_state WHERE is_running")
    wait_for(lambda: fleet.rows(reports) >= everyone, seconds=120)
    fleet.end(manager)
    assert fleet.rows("SELECT count(*) FROM manager_orders WHERE kind = 'entry'") == entries, (
        "a restore stops the fleet"
    )
    fleet.forks.run("livestore", "rebuild")
    fleet.prove()
    fleet.forks.run("livestore", "verify")


@pytest.mark.faults
def test_a_short_day_and_its_backup_agree_with_themselves(
    migrated_machine: Machine, another_machine: Machine, tmp_path: Path
) -> None:
    size = {"traders": SHORT_TRADERS, "seconds": SHORT_SECONDS, "interval": 2, "seed": SHORT_SEED}
    tried = run_day(migrated_machine, another_machine, tmp_path, **size)  # type: ignore[arg-type]
    assert tried.entries >= 2, f"too few entries were tried: {tried}"


@pytest.mark.soak
def test_a_day(migrated_machine: Machine, another_machine: Machine, tmp_path: Path, soak: SoakOptions) -> None:
    # A second stands for a bit less than a minute: in 25 minutes each of a hundred traders decides 300 times.
    size = {"traders": soak.traders, "seconds": soak.minutes * 60, "interval": 5, "seed": soak.seed}
    tried = run_day(migrated_machine, another_machine, tmp_path, **size)  # type: ignore[arg-type]
    assert tried.entries >= soak.traders, f"too few entries were tried: {tried}"
