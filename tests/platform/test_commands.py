from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from nof0site.serving import prepare
from tests.platform.processes import CHECKOUT, Machine, password_in

pytestmark = pytest.mark.slow


@pytest.mark.django_db
def test_a_reset_password_is_printed_once_and_ends_the_sessions(client: Client) -> None:
    user = get_user_model().objects.create_superuser("admin", password="forgotten long ago")
    client.force_login(user)
    assert client.get("/admin/password_change/").status_code == 200

    out = StringIO()
    call_command("reset_password", stdout=out)

    assert authenticate(username="admin", password=password_in(out.getvalue())) == user
    assert authenticate(username="admin", password="forgotten long ago") is None
    assert client.get("/admin/password_change/").status_code == 302


@pytest.mark.django_db
def test_resetting_the_password_of_nobody_names_who_there_is() -> None:
    get_user_model().objects.create_user("ada")
    with pytest.raises(CommandError, match=r"There is no account 'bob'. Known: ada."):
        call_command("reset_password", "bob")


@pytest.mark.django_db
def test_the_first_account_is_made_only_where_there_is_no_administrator() -> None:
    password = prepare.create_first_account()
    assert password is not None
    assert authenticate(username="admin", password=password) is not None
    assert prepare.create_first_account() is None
    assert get_user_model().objects.count() == 1


def test_a_dump_restores_into_an_empty_database(new_machine: Machine) -> None:
    """The steps of docs/operations.md."""
    new_machine.python(
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "connection.cursor().execute('CREATE TABLE kept AS SELECT 7 AS n')"
    )
    dump = new_machine.data_dir.parent / "nof0.dump"
    assert new_machine.manage("pg_tool", "pg_dump", "-Fc", "-f", str(dump)).returncode == 0
    (new_machine.data_dir / "postgresql").rename(new_machine.data_dir / "postgresql-old")

    assert new_machine.manage("pg_tool", "pg_restore", "--no-owner", "-d", "nof0", str(dump)).returncode == 0
    assert new_machine.manage("pg_tool", "psql", "-XAtc", "SELECT n FROM kept").stdout == "7\n"


def test_after_a_restored_backup_the_fleet_is_stopped_until_a_person_releases_it(new_machine: Machine) -> None:
    assert new_machine.manage("migrate", "-v", "0").returncode == 0
    dump = new_machine.data_dir.parent / "nof0.dump"
    assert new_machine.manage("pg_tool", "pg_dump", "-Fc", "-f", str(dump)).returncode == 0
    (new_machine.data_dir / "postgresql").rename(new_machine.data_dir / "postgresql-old")

    restored = new_machine.manage("pg_tool", "pg_restore", "--no-owner", "-d", "nof0", str(dump))

    assert "fleet: stop (control 1)" in restored.stdout
    asked = "SELECT kind, actor FROM trader_controls ORDER BY id DESC LIMIT 1"
    assert new_machine.manage("pg_tool", "psql", "-XAtc", asked).stdout == "stop|restore\n"
    assert new_machine.manage("fleet", "release", "--reason", "compared with the exchange").returncode == 0
    assert new_machine.manage("pg_tool", "psql", "-XAtc", asked).stdout.startswith("release|cli:")


def test_a_program_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(CommandError, match=r"There is no program 'mysqldump'. Choose one of .*pg_dump.*psql"):
        call_command("pg_tool", "mysqldump")


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run(
        [sys.executable, "manage.py", "describe_settings"],
        cwd=CHECKOUT,
        env=Machine(tmp_path / "data").environment,
        stdout=write_end,
        stderr=subprocess.PIPE,
    )
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")
