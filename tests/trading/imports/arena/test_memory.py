"""Memory does not grow with the file. Minutes of work: with the fault tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import new_data_dir, remove_servers
from tests.trading.arena_sample import CLOSED, STARTED, account_row, position, trade

ROOT = Path(__file__).resolve().parents[4]
MEGABYTE = 1_000_000
_RUN = """
import django, resource, sys
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("import_arena", sys.argv[1], "--dry-run", "--json")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _trade(number: int) -> dict[str, Any]:
    # A second apart: what closes in the same millisecond is compared with each other.
    return trade(number, f"trader_{number % 40}", exit_time=CLOSED + number)


def _account(number: int) -> dict[str, Any]:
    held = {} if number % 20 else {"ETH": position()}
    # A minute apart: hours would reach into the future.
    moment = STARTED + 60 * (number // 40)
    return account_row(0, f"trader_{number % 40}", positions=held, timestamp=moment)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("name", "key", "table", "record"),
    [
        ("trades.json", "trades", "trades", _trade),
        ("account-totals.json", "accountTotals", "equity_snapshots", _account),
    ],
)
def test_a_file_four_times_as_long_needs_no_more_memory(
    tmp_path: Path, name: str, key: str, table: str, record: Callable[[int], dict[str, Any]]
) -> None:
    data_dir = new_data_dir()
    peaks = {}
    for size in (50, 200):
        path = tmp_path / str(size) / name
        _write(path, key, record, size * MEGABYTE)
        peaks[size] = _peak_kb(path, table, data_dir)
    remove_servers(data_dir)

    assert peaks[200] < peaks[50] * 1.2, peaks


def _write(path: Path, key: str, record: Callable[[int], dict[str, Any]], size: int) -> None:
    path.parent.mkdir()
    with path.open("w") as file:
        file.write(f'{{"{key}": [')
        number = 0
        while file.tell() < size:
            file.write(("," if number else "") + json.dumps(record(number)))
            number += 1
        file.write("]}")


def _peak_kb(path: Path, table: str, data_dir: Path) -> int:
    ours = {"DJANGO_SETTINGS_MODULE": "nof0site.settings", "NOF0_DATA_DIR": str(data_dir), "DEBUG": "0"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(path)],
        cwd=ROOT,
        env=os.environ | ours | {"DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report, peak = done.stdout.splitlines()[-2:]
    assert json.loads(report)["tables"][table]["refused"] == 0
    return int(peak)
