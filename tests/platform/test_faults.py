"""Servers killed and processes raced, round after round. Run by `make test-faults`."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.platform.processes import (
    CHECKOUT,
    PATIENCE_SECONDS,
    Machine,
    answers,
    free_port,
    interrupt,
    line_with,
    password_in,
    wait_for,
)
from tests.platform.test_serve import COUNT

pytestmark = pytest.mark.faults

# Counts up in both servers and says each number once it is committed.
WRITE = """
import django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
cursor, redis = connection.cursor(), get_redis_connection("default")
cursor.execute("CREATE TABLE IF NOT EXISTS numbers (n bigserial)")
for _ in range(1_000_000):
    cursor.execute("INSERT INTO numbers DEFAULT VALUES RETURNING n")
    print("committed", cursor.fetchone()[0], redis.incr("numbers"), flush=True)
"""
READ = """
import django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM numbers")
    print(cursor.fetchone()[0], int(get_redis_connection("default").get("numbers")))
"""
BRIEFLY = """
import django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
connection.ensure_connection()
get_redis_connection("default").ping()
"""


def test_nothing_committed_is_lost_when_everything_is_killed(machine: Machine) -> None:
    rows = keys = 0
    for _ in range(5):
        writer = machine.start("-c", WRITE)
        line_with(writer, "committed")
        time.sleep(random.uniform(0, 1))
        machine.kill_servers()
        os.killpg(writer.pid, signal.SIGKILL)
        said, _ = writer.communicate()

        counted = re.findall(r"committed \d+ (\d+)", said)
        rows += 1 + len(counted)
        stored_rows, stored_keys = map(int, machine.python(READ).split())
        assert stored_rows >= rows
        assert stored_keys >= max([keys, *map(int, counted)])
        rows, keys = stored_rows, stored_keys
    assert machine.running() == []


def test_six_first_users_at_once_start_one_server_each(new_machine: Machine) -> None:
    for _ in range(2):
        with ThreadPoolExecutor(6) as pool:
            held = list(pool.map(lambda _: new_machine.hold_servers(), range(6)))
        assert len({seen for _, seen in held}) == 1
        for process, _ in held:
            process.communicate(timeout=PATIENCE_SECONDS)
        assert new_machine.running() == []
        shutil.rmtree(new_machine.data_dir)


def test_processes_that_come_and_go_never_meet_a_server_that_is_leaving(machine: Machine) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: machine.python(BRIEFLY), range(18)))
    assert machine.running() == []


def test_an_initialisation_killed_at_any_moment_leaves_nothing_half_made(new_machine: Machine) -> None:
    for delay_seconds in (0.6, 1.0, 1.4, 2.0):
        process = new_machine.start("-c", BRIEFLY)
        time.sleep(delay_seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        new_machine.kill_servers()
    new_machine.python(BRIEFLY)
    assert new_machine.running() == []


def test_two_first_runs_at_once_import_the_fleet_once(new_machine: Machine) -> None:
    with ThreadPoolExecutor(2) as pool:
        sites = list(pool.map(new_machine.serve, (free_port(), free_port())))
    assert sum("First account" in said for _, said in sites) == 1
    for site, _ in sites:
        assert interrupt(site) == 0
    assert new_machine.running() == []
    assert new_machine.python(COUNT) == "3 3 1\n"


def test_a_newcomer_runs_a_clean_clone_in_a_path_with_spaces(new_machine: Machine) -> None:
    clone = new_machine.data_dir.parent / "my copy"
    wanted = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for name in filter(None, wanted.stdout.split("\0")):
        copy_file(CHECKOUT / name, clone / name)
    port = free_port()
    make = subprocess.Popen(
        ["make", "run", f"PORT={port}"],
        cwd=clone,
        env=new_machine.environment | {"PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    new_machine.processes.append(make)
    said = line_with(make, "Stop  ", keep_all=True)
    wait_for(lambda: answers(port))
    assert password_in(said)

    again = subprocess.run(["make", "stop"], cwd=clone, env=new_machine.environment, capture_output=True, text=True)
    assert "Stopped the site" in again.stdout
    make.communicate(timeout=PATIENCE_SECONDS)
    assert new_machine.running() == []


def copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
