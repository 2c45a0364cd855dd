"""`make demo`: a fleet with its record, made and deleted apart from the site's own data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.platform.processes import PATIENCE_SECONDS, Machine, free_port, interrupt

pytestmark = pytest.mark.slow

COUNT = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*), sum(allocation_pct)::int FROM trader_config")
    print(*cursor.fetchone())
    cursor.execute("SELECT count(*) FROM trades WHERE trader_id NOT LIKE 'paper%'")
    print(*cursor.fetchone())
"""
DECIDED = """
import django, time; django.setup()
from django.db import connection
until = time.monotonic() + 60
with connection.cursor() as cursor:
    while True:
        cursor.execute("SELECT count(*) > 0 FROM decision_journal WHERE trader_id LIKE 'paper%' AND success")
        if (found := cursor.fetchone()[0]) or time.monotonic() > until:
            break
        time.sleep(0.5)
print(found)
"""


@pytest.fixture
def demo(new_machine: Machine, tmp_path: Path) -> Machine:
    """A site of this machine uses servers, files and a directory elsewhere; the demo must not go there."""
    new_machine.settings = {
        "NOF0_DEMO": "1",
        "NOF0_DATA_DIR": str(new_machine.data_dir),
        "DATABASE_URL": "postgresql://nobody@192.0.2.1/live",
        "REDIS_URL": "redis://192.0.2.1/0",
        "MANAGER_YAML": str(tmp_path / "manager.yaml"),
        "EXPORT_DIR": str(tmp_path / "export"),
    }
    new_machine.data_dir = Path(f"{new_machine.data_dir}-demo")
    return new_machine


def test_a_demo_is_a_fleet_with_its_record_on_data_of_its_own(demo: Machine, tmp_path: Path) -> None:
    site, said = demo.serve(port := free_port())
    assert "Made the sample fleet: 6 traders" in said
    assert "9 adopted" in said, "the declared fleet is the one that is stored"
    assert f"http://127.0.0.1:{port}/" in said
    assert f"PostgreSQL in {demo.data_dir}" in said
    assert f"files in {demo.data_dir}" in said
    assert "NOF0_DEMO=1 make stop" in said

    refused = demo.manage("generate_sample")
    assert refused.returncode == 1
    assert "make demo-fresh" in refused.stdout

    assert demo.python(DECIDED) == "True\n", "a newcomer sees traders decide within a minute"
    interrupt(site)
    assert demo.python(COUNT) == "8 75\n240\n"
    assert demo.running() == []
    assert list(tmp_path.iterdir()) == []

    deleted = demo.manage("remove_demo")
    assert (deleted.returncode, deleted.stdout) == (0, f"Deleted the demo in {demo.data_dir}.\n")
    assert not demo.data_dir.exists()


def test_a_running_demo_is_stopped_and_deleted(demo: Machine) -> None:
    site, _said = demo.serve(free_port())
    assert demo.manage("remove_demo").returncode == 0
    site.wait(PATIENCE_SECONDS)
    assert demo.running() == []
    assert not demo.data_dir.exists()


def test_without_the_demo_its_commands_are_not_there(new_machine: Machine) -> None:
    for command in ("generate_sample", "remove_demo", "prepare_demo"):
        refused = new_machine.manage(command)
        assert refused.returncode == 1
        assert "Unknown command" in refused.stdout
