"""A running site whose PostgreSQL cannot start again, and commands without a database. Run by `make test-faults`."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from nof0site.embedded.paths import DataPaths
from tests.platform.processes import PATIENCE_SECONDS, Machine, free_port, wait_for

pytestmark = pytest.mark.faults

COMMANDS = [
    ("migrate",),
    ("sync_traders",),
    ("export_traders", "--dir", "away"),
    ("config_at", "2026-01-01T00:00Z"),
    ("api_tokens", "list"),
    ("export_json", "--once"),
    ("performance",),
    ("replay_decision", "1"),
    ("import_journal", "etc"),
    ("reset_password",),
    ("pg_tool", "psql", "-c", "SELECT 1"),
    ("serve",),
]


def asked(port: int, address: str, **headers: str) -> tuple[int, str, str | None]:
    """Status, text, Retry-After."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{address}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode(), None
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers["Retry-After"]


def test_a_site_whose_postgresql_cannot_start_again_answers_503_until_it_can(machine: Machine) -> None:
    site, _ = machine.serve(port := free_port())
    # Its log would fill the pipe and stop it.
    threading.Thread(target=site.stdout.read if site.stdout else None, daemon=True).start()
    control = DataPaths(machine.data_dir).cluster / "global" / "pg_control"
    # Before the kill: the site may start a killed server again at any moment.
    aside = control.rename(control.with_suffix(".aside"))
    machine.kill_servers_of(DataPaths(machine.data_dir).cluster)

    status, page, again = asked(port, "/admin/", Cookie="sessionid=" + "0" * 32)
    assert (status, again) == (503, "10")
    assert "The database does not answer" in page
    status, said, again = asked(port, "/api/v1/token", Authorization="Bearer nof0_" + "x" * 43)
    assert (status, again) == (503, "10")
    assert "nothing was written" in json.loads(said)["detail"]
    assert asked(port, "/api/health")[0] in (200, 503)

    aside.rename(control)
    wait_for(lambda: asked(port, "/admin/", Cookie="sessionid=" + "0" * 32)[0] == 200)
    site.send_signal(signal.SIGINT)
    assert site.wait(PATIENCE_SECONDS) == 0


def test_a_command_whose_postgresql_cannot_start_says_why(machine: Machine) -> None:
    cluster = DataPaths(machine.data_dir).cluster
    (cluster / "global" / "pg_control").unlink()
    for command in (("sync_traders",), ("migrate",), ("serve", "--port", str(free_port()))):
        done = machine.manage(*command)
        assert done.returncode == 1, done.stdout
        assert "did not start" in done.stdout
        assert "pg_control" in done.stdout
        assert "Traceback" not in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_without_a_database_ends_with_one_line(
    new_machine: Machine, command: tuple[str, ...], tmp_path: Path
) -> None:
    new_machine.settings = {"DATABASE_URL": f"postgresql://nof0@127.0.0.1:{free_port()}/nof0"}
    more = ("--port", str(free_port())) if command[0] == "serve" else ()
    done = new_machine.manage(*command, *more)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    lines = [line for line in done.stdout.splitlines() if line and "Is the server running on that host" not in line]
    assert len(lines) == 1, done.stdout
    assert "refused" in lines[0]
