"""`make run` after its packages are installed, from the outside."""

from __future__ import annotations

import os
import signal

import pytest

from tests.platform.processes import PATIENCE_SECONDS, Machine, answers, free_port, interrupt, password_in, wait_for

COUNT = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM trader_config")
    traders = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM trader_config_history")
    print(traders, cursor.fetchone()[0], get_user_model().objects.count())
"""
LOGIN = """
import sys, django; django.setup()
from django.contrib.auth import authenticate
print(authenticate(username="admin", password=%r))
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    return free_port()


def test_the_first_run_imports_the_fleet_and_the_second_makes_nothing_new(new_machine: Machine, port: int) -> None:
    site, said = new_machine.serve(port)
    assert f"http://127.0.0.1:{port}/" in said
    assert str(new_machine.data_dir) in said
    password = password_in(said)
    interrupt(site)
    assert new_machine.running() == []
    assert new_machine.python(COUNT) == "3 3 1\n"
    assert new_machine.python(LOGIN % password) == "admin\n"

    site, said = new_machine.serve(port)
    assert "manager.yaml is as synced last" in said
    assert "password " not in said.replace("Lost password", "").replace("make password", "")
    interrupt(site)
    assert new_machine.python(COUNT) == "3 3 1\n"


def test_ctrl_c_ends_in_order_and_leaves_nothing_running(machine: Machine, port: int) -> None:
    site, _ = machine.serve(port)
    assert machine.running()
    assert interrupt(site) == 0
    assert machine.running() == []
    assert not answers(port)


def test_many_signals_at_once_end_it_as_one_does(machine: Machine, port: int) -> None:
    site, _ = machine.serve(port)

    for _number in range(50):
        site.send_signal(signal.SIGTERM)

    site.wait(timeout=PATIENCE_SECONDS)
    wait_for(lambda: machine.running() == [])


def test_a_site_killed_without_warning_leaves_the_port_and_nothing_running(machine: Machine, port: int) -> None:
    site, _ = machine.serve(port)
    os.kill(site.pid, signal.SIGKILL)
    wait_for(lambda: not answers(port))
    wait_for(lambda: machine.running() == [])


def test_stop_ends_the_site_from_another_terminal(machine: Machine, port: int) -> None:
    site, _ = machine.serve(port)
    stopped = machine.manage("stop_servers")
    assert stopped.stdout == f"Stopped the site (process {site.pid}).\n"
    site.communicate(timeout=PATIENCE_SECONDS)
    assert machine.running() == []
    assert machine.manage("stop_servers").stdout == "The site is not running here.\n"


def test_stop_spares_a_stranger_whose_number_a_killed_site_left_behind(new_machine: Machine) -> None:
    new_machine.data_dir.mkdir()
    (new_machine.data_dir / "serve-8000.pid").write_text(str(os.getpid()), encoding="ascii")
    assert new_machine.manage("stop_servers").stdout == "The site is not running here.\n"


def test_a_busy_port_is_named_with_the_way_out_before_anything_starts(machine: Machine, port: int) -> None:
    machine.serve(port)
    refused = machine.manage("serve", "--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port} is in use" in refused.stdout
    assert f"make run PORT={port + 1}" in refused.stdout


def test_listening_to_others_says_that_the_host_must_be_allowed(machine: Machine, port: int) -> None:
    site = machine.start("manage.py", "serve", "--host", "0.0.0.0", "--port", str(port))
    wait_for(lambda: answers(port))
    os.killpg(site.pid, signal.SIGINT)
    said, _ = site.communicate(timeout=PATIENCE_SECONDS)
    assert "answers only to localhost, 127.0.0.1, [::1]. Name the hosts it is reached by in ALLOWED_HOSTS" in said


def test_an_address_of_another_machine_is_refused(new_machine: Machine, port: int) -> None:
    refused = new_machine.manage("serve", "--host", "192.0.2.1", "--port", str(port))
    assert refused.returncode == 1
    assert f"Cannot listen at 192.0.2.1:{port}" in refused.stdout


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(new_machine: Machine, port: int) -> None:
    new_machine.settings = {"DATABASE_URL": f"postgresql://ada:secret@127.0.0.1:{port}/nof0"}
    refused = new_machine.manage("serve", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stdout.startswith("CommandError: The database of DATABASE_URL cannot be reached: ")
    assert "secret" not in refused.stdout
