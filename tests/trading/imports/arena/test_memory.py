"""Memory does not grow with the file. Minutes of work: with the fault tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import new_data_dir, remove_servers
from tests.trading.arena_sample import CLOSED, trade

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


@pytest.mark.faults
def test_a_file_four_times_as_long_needs_no_more_memory(tmp_path: Path) -> None:
    data_dir = new_data_dir()
    peaks = {size: _peak_kb(_file(tmp_path, size), data_dir) for size in (50, 200)}
    remove_servers(data_dir)

    assert peaks[200] < peaks[50] * 1.2, peaks


def _file(directory: Path, megabytes: int) -> Path:
    path = directory / str(megabytes) / "trades.json"
    path.parent.mkdir()
    with path.open("w") as file:
        file.write('{"trades": [')
        number = 0
        while file.tell() < megabytes * MEGABYTE:
            # A second apart: what closes in the same millisecond is compared with each other.
            record = trade(number, f"trader_{number % 40}", exit_time=CLOSED + number)
            file.write(("," if number else "") + json.dumps(record))
            number += 1
        file.write("]}")
    return path


def _peak_kb(path: Path, data_dir: Path) -> int:
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
    assert json.loads(report)["tables"]["trades"]["refused"] == 0
    return int(peak)
