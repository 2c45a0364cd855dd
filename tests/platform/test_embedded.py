"""The embedded servers, as processes of one data directory share them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from nof0site.embedded.binaries import postgres_programs, valkey_program
from nof0site.embedded.errors import EmbeddedServerError, ServerPackageMissingError
from nof0site.embedded.paths import DataPaths, default_data_dir
from nof0site.embedded.privileges import ServerUser, make_private
from tests.platform.processes import Machine

pytestmark = pytest.mark.slow

WRITE = """
import django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    cursor.execute("INSERT INTO kept VALUES (1)")
get_redis_connection("default").incr("kept")
"""
READ = """
import django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM kept")
    print(cursor.fetchone()[0], int(get_redis_connection("default").get("kept")))
"""
FORK = """
import os, sys, django; django.setup()
from django.db import connection
connection.ensure_connection()
pid = os.fork()
if pid == 0:
    sys.exit(0)  # runs the exit handlers, as a forked worker may
os.waitpid(pid, 0)
with connection.cursor() as cursor:
    cursor.execute("SELECT 42")
    print("still there", cursor.fetchone()[0])
"""


def test_the_last_process_that_uses_the_servers_stops_them(machine: Machine) -> None:
    first, seen_by_first = machine.hold_servers()
    second, seen_by_second = machine.hold_servers()
    assert seen_by_first == seen_by_second

    first.communicate()
    assert machine.running()
    second.communicate()
    assert machine.running() == []


def test_what_was_committed_is_there_in_the_next_run(machine: Machine) -> None:
    machine.python(WRITE)
    assert machine.running() == []
    assert machine.python(READ) == "1 1\n"


def test_killed_servers_come_back_under_a_process_that_goes_on_working(machine: Machine) -> None:
    machine.python(WRITE)
    holder, _ = machine.hold_servers()
    machine.kill_servers()
    assert machine.python(READ) == "1 1\n"
    holder.communicate()
    assert machine.running() == []


def test_a_forked_child_that_ends_leaves_the_servers_to_its_parent(machine: Machine) -> None:
    assert machine.python(FORK) == "still there 42\n"
    assert machine.running() == []


def test_no_tcp_port_is_opened_and_the_socket_is_private(machine: Machine) -> None:
    machine.hold_servers()
    sockets = DataPaths(machine.data_dir).sockets
    assert sockets.stat().st_mode & 0o077 == 0
    shown = machine.manage("pg_tool", "psql", "-XAtc", "SHOW listen_addresses")
    assert shown.stdout == "\n"


def test_a_pid_file_naming_a_stranger_neither_hurts_it_nor_hinders_the_start(machine: Machine) -> None:
    pid_file = machine.data_dir / "postgresql" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{machine.data_dir / 'postgresql'}\n1\n5432\n", encoding="utf-8")
    machine.python(WRITE)
    assert machine.python(READ) == "1 1\n"


def test_an_initdb_that_was_killed_is_forgotten(new_machine: Machine) -> None:
    unfinished = new_machine.data_dir / "postgresql.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n", encoding="ascii")
    new_machine.python(WRITE)
    assert not unfinished.exists()
    assert new_machine.python(READ) == "1 1\n"


def test_data_of_another_major_version_is_refused_with_the_way_out(machine: Machine) -> None:
    (machine.data_dir / "postgresql" / "PG_VERSION").write_text("16\n", encoding="ascii")
    refused = machine.manage("migrate")
    assert refused.returncode == 1
    assert "was made by PostgreSQL 16; this installation has PostgreSQL 18" in refused.stdout
    assert "pg_dump -Fc -f nof0.dump" in refused.stdout
    assert "pg_restore --no-owner -d nof0 nof0.dump" in refused.stdout
    assert "Traceback" not in refused.stdout
    assert machine.running() == []


@pytest.mark.parametrize(("find", "variable"), [(postgres_programs, "DATABASE_URL"), (valkey_program, "REDIS_URL")])
def test_without_the_wheel_the_variable_to_set_is_named(
    monkeypatch: pytest.MonkeyPatch, find: object, variable: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert callable(find)
    with pytest.raises(ServerPackageMissingError, match=f"Set {variable} to use a server of your own"):
        find()


@pytest.mark.parametrize("name", ["x" * 90, "a,b", 'a"b', "a'b"])
def test_a_path_that_sockets_cannot_have_gets_a_short_one_elsewhere(name: str) -> None:
    sockets = DataPaths(Path("/srv") / name).sockets
    assert len(str(sockets)) < 60
    assert sockets.parent == Path("/tmp")
    assert sockets != DataPaths(Path("/srv") / name / "other").sockets


def test_a_socket_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").symlink_to(tmp_path)
    with pytest.raises(EmbeddedServerError, match="not a directory of ours"):
        make_private(tmp_path / "theirs", ServerUser(os.geteuid(), os.getegid()))


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may become somebody else")
def test_root_runs_the_servers_as_somebody_without_rights(machine: Machine) -> None:
    machine.hold_servers()
    owners = {Path(f"/proc/{entry.split()[0]}").stat().st_uid for entry in machine.running()}
    assert owners
    assert 0 not in owners
    assert not default_data_dir(Path("/root/checkout")).is_relative_to("/root")
