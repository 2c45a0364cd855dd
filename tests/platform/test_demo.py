"""`make demo`: the site with a sample fleet, apart from the site's own data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.platform.processes import Machine, free_port, interrupt

COUNT = """
import django; django.setup()
from django.db import connection

pytestmark = pytest.mark.slow
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE created_by = 'sample') FROM trader_config")
    print(*cursor.fetchone())
    cursor.execute("SELECT count(*) FROM trades")
    print(*cursor.fetchone())
"""


@pytest.fixture
def demo(new_machine: Machine) -> Machine:
    """A site of this machine uses servers elsewhere; the demo must not go there."""
    new_machine.settings = {
        "NOF0_DEMO": "1",
        "NOF0_DATA_DIR": str(new_machine.data_dir),
        "DATABASE_URL": "postgresql://nobody@192.0.2.1/live",
        "REDIS_URL": "redis://192.0.2.1/0",
    }
    new_machine.data_dir = Path(f"{new_machine.data_dir}-demo")
    return new_machine


def test_a_demo_has_a_sample_fleet_beside_the_declared_one_on_data_of_its_own(demo: Machine) -> None:
    site, said = demo.serve(port := free_port())
    assert "Made the sample: 6 traders" in said
    assert f"http://127.0.0.1:{port}/" in said
    assert f"PostgreSQL in {demo.data_dir}" in said
    assert "NOF0_DEMO=1 make stop" in said
    interrupt(site)
    assert demo.python(COUNT) == "9 6\n240\n"
    assert demo.running() == []
