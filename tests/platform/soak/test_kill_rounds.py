"""Rounds in which one part of a working site is killed at a moment that chance picks, and started again: whatever it
was, nothing that was acknowledged is lost, and everything at rest agrees with everything else."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.platform.processes import Machine
from tests.platform.soak.fleet import Tried
from tests.platform.soak.hands import SCOPES, Hands, client, unkept
from tests.platform.soak.options import SoakOptions
from tests.platform.soak.site import Site, working_site

LASTING = ("web", "manager", "exporter", "postgres", "redis")
COMMANDS = ("sync", "import", "rebuild")
TRADERS = 6
SHORT_ROUNDS, SHORT_SEED = 8, 7
# Of the long form: after so many rounds everything is brought to rest and proved.
PROVED_EVERY = 20


def one_round(site: Site, victim: str, chance: random.Random) -> None:
    if victim in LASTING:
        time.sleep(chance.uniform(0.0, 2.0))
        site.kill(victim)
        time.sleep(chance.uniform(0.0, 0.5))
        site.start()
    else:
        arguments = site.command(victim)
        site.note(f"kill {victim}")
        running = site.fleet.forks.start(*arguments)
        time.sleep(chance.uniform(0.0, 1.0))
        running.kill()
        site.fleet.forks.run(*arguments)
    site.await_work()


def run_rounds(machine: Machine, directory: Path, rounds: int, seed: int, proved_every: int) -> Tried:
    chance, tried = random.Random(seed), None
    victims = [*LASTING, *COMMANDS]
    with (
        working_site(machine, directory, TRADERS, seconds=2) as site,
        client(site.fleet, site.port, "hands", *SCOPES) as api,
    ):
        hands = Hands(api, site.names, seed)
        with hands:
            for number in range(1, rounds + 1):
                # Each victim as often as any other, in an order of chance.
                if (number - 1) % len(victims) == 0:
                    chance.shuffle(victims)
                one_round(site, victims[(number - 1) % len(victims)], chance)
                if number % proved_every == 0 and number < rounds:
                    site.prove()
                    site.start()
        hands.free()
        site.await_work()
        tried = site.prove()
        assert unkept(site.fleet, hands.acknowledged) == []
        assert len(hands.acknowledged) >= rounds
    return tried


@pytest.mark.faults
def test_each_part_is_killed_once_and_nothing_is_lost(migrated_machine: Machine, tmp_path: Path) -> None:
    tried = run_rounds(migrated_machine, tmp_path, SHORT_ROUNDS, SHORT_SEED, SHORT_ROUNDS)
    assert tried.entries >= 2, f"too few entries were tried: {tried}"


@pytest.mark.soak
def test_two_hundred_kills(migrated_machine: Machine, tmp_path: Path, soak: SoakOptions) -> None:
    tried = run_rounds(migrated_machine, tmp_path, soak.rounds, soak.seed, PROVED_EVERY)
    assert tried.entries >= soak.rounds / 4, f"too few entries were tried: {tried}"
