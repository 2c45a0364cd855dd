"""PostgreSQL and Redis killed: every endpoint of a running site still answers."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform.processes import Machine, command_of, free_port, interrupt, is_zombie, processes_below, wait_for
from trading.export.documents.names import Document

pytestmark = pytest.mark.slow


@pytest.fixture
def machine() -> Iterator[Machine]:
    parent = Path(tempfile.mkdtemp(prefix="nof0-platform-"))
    parent.chmod(0o755)
    machine = Machine(parent / "data", {"EXPORT_SECONDS": "1"})
    try:
        yield machine
    finally:
        machine.clear()
        shutil.rmtree(parent)


def ask(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_everything_answers_without_postgresql_and_redis(machine: Machine) -> None:
    port = free_port()
    site, said = machine.serve(port)
    assert f"http://127.0.0.1:{port}/api/health" in said
    wait_for(lambda: ask(port, "/api/leaderboard")[0] == 200)
    wait_for(lambda: json.loads(ask(port, "/api/health")[1])["postgres"]["state"] == "up")
    traders = [row["id"] for row in json.loads(ask(port, "/api/leaderboard")[1])["leaderboard"]]
    assert len(traders) == 3

    # What runs beside the site would start the embedded servers again, and a killed one would be started again itself.
    beside = [one for one in processes_below(site.pid) if {"export_json", "send_alarms"} & set(command_of(one))]
    assert len(beside) == 2
    for process in beside:
        process.suspend()
    machine.kill_servers()
    time.sleep(0.2)

    for path in (*Document, *(f"analytics/{name}" for name in traders), "health"):
        status, content = ask(port, f"/api/{path}")
        assert status == 200, path
        assert json.loads(content)
    assert ask(port, "/metrics")[0] == 200
    assert ask(port, "/api/nothing")[0] == 404
    assert machine.running() == [] or all("postgres" not in entry for entry in machine.running())
    for process in beside:
        process.resume()
    interrupt(site)


def test_an_exporter_ends_with_its_site(machine: Machine) -> None:
    port = free_port()
    site, _ = machine.serve(port)
    [exporter] = [one for one in processes_below(site.pid) if "export_json" in command_of(one)]
    site.send_signal(signal.SIGKILL)
    wait_for(lambda: not exporter.is_running() or is_zombie(exporter))
    wait_for(lambda: machine.running() == [])
