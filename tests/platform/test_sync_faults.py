"""A sync killed halfway, and two at once, as processes: the database holds all of it or nothing."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.platform.processes import CHECKOUT, PATIENCE_SECONDS, Machine

pytestmark = pytest.mark.faults

TRADERS = 2000
KILLS = 6
COUNTS = """
import django; django.setup()
from traders.models import TraderConfig, TraderConfigVersion, YamlBase
load = TraderConfig.objects.filter(id__startswith="load")
leverages = set(load.values_list("detail__risk__altcoin_leverage", flat=True))
versions = TraderConfigVersion.objects.filter(id__startswith="load").count()
print(versions, YamlBase.objects.filter(pk__startswith="load").count(), *sorted(leverages))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the sample's folder."""
    return Path(shutil.copytree(CHECKOUT / "etc", tmp_path / "etc"))


def declare(directory: Path, leverage: int) -> Path:
    """The sample's first trader two thousand times, without capital."""
    path = directory / "manager.yaml"
    declared = yaml.safe_load((CHECKOUT / "etc" / "manager.yaml").read_text())
    first = declared["traders"][0] | {"allocation_pct": 0}
    first["risk_params"] = first["risk_params"] | {"altcoin_leverage": leverage}
    declared["traders"] += [first | {"id": f"load-{number}"} for number in range(TRADERS)]
    path.write_text(yaml.dump(declared, Dumper=yaml.CSafeDumper))
    return path


def counts(machine: Machine) -> list[int]:
    """[versions, bases, each leverage that occurs] of the two thousand."""
    return [int(word) for word in machine.python(COUNTS).split()]


def test_a_sync_killed_at_any_moment_leaves_all_or_nothing(machine: Machine, directory: Path) -> None:
    holder, _ = machine.hold_servers()
    before = counts(machine)
    for leverage in range(1, KILLS + 1):
        sync = machine.start("manage.py", "sync_traders", str(declare(directory, leverage)))
        time.sleep(random.uniform(1.0, 5.0))
        sync.send_signal(signal.SIGKILL)
        sync.wait()
        machine.await_idle()
        after = counts(machine)
        assert after in (before, [before[0] + TRADERS, TRADERS, leverage])
        before = after
    finished = machine.manage("sync_traders", str(directory / "manager.yaml"))
    assert finished.returncode == 0, finished.stdout
    assert counts(machine)[1:] == [TRADERS, KILLS]
    holder.terminate()


def test_two_syncs_at_once_run_in_turn(machine: Machine, directory: Path) -> None:
    path = declare(directory, 5)
    syncs = [machine.start("manage.py", "sync_traders", str(path)) for _ in range(3)]

    outputs = [sync.communicate(timeout=3 * PATIENCE_SECONDS)[0] for sync in syncs]

    assert [sync.returncode for sync in syncs] == [0, 0, 0], outputs
    assert sum("2,000 inserted" in output for output in outputs) == 1, outputs
    assert counts(machine) == [TRADERS, TRADERS, 5]


def test_a_sync_that_loses_its_server_says_so_and_changes_nothing(machine: Machine, directory: Path) -> None:
    holder, _ = machine.hold_servers()
    before = counts(machine)
    sync = machine.start("manage.py", "sync_traders", str(declare(directory, 3)))
    time.sleep(random.uniform(1.5, 3.0))
    machine.kill_servers()

    output, _ = sync.communicate(timeout=PATIENCE_SECONDS)

    assert "Traceback" not in output
    after = counts(machine)
    whole = [before[0] + TRADERS, TRADERS, 3]
    # A server that dies between its commit and its answer has committed, and its client cannot know.
    assert after == whole if sync.returncode == 0 else after in (before, whole), output
    holder.kill()
