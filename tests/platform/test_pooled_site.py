"""Two sites behind one PgBouncer that pools by transaction: engines that wait, commands, and edits in the browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from clients.python.nof0_control import Client
from nof0site.embedded.paths import DataPaths
from tests.platform.bouncer import PROGRAM, pgbouncer
from tests.platform.processes import CHECKOUT, PATIENCE_SECONDS, Machine, free_port, interrupt, wait_for
from tests.platform.test_waiting_engines import SCOPES, TOKENS, edited

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed"),
]

POOL = 8
# Of both servers together. The benchmark `waiting` has a thousand.
CLIENTS = int(os.environ.get("WAITING_CLIENTS", "300"))
PASSWORD = "a long enough password"
ACCOUNT = f"""
import django; django.setup()
from django.contrib.auth.models import User
User.objects.create_superuser("mei", password="{PASSWORD}")
"""
# The server's own cleaners are no sessions, and come when they want to.
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = 'nof0' AND backend_type = 'client backend' AND query NOT LIKE '%pg_stat_activity%'
"""


@dataclass
class PooledSites:
    """Two servers on machines of their own, of one database and Redis."""

    machines: list[Machine]
    sockets: str
    ports: list[int] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def asked(self, statement: str) -> Any:
        with psycopg.connect(host=self.sockets, user="postgres", dbname="nof0") as connection:
            row = connection.execute(statement.encode()).fetchone()
            return row[0] if row else None


@pytest.fixture
def sites(machine: Machine, new_machine: Machine, tmp_path_factory: Any) -> Iterator[PooledSites]:
    """The database is made by `machine`, whose embedded servers run as long as a process uses them."""
    holder, _ = machine.hold_servers()
    paths = DataPaths(machine.data_dir)
    with ExitStack() as stack:
        pool = stack.enter_context(pgbouncer(machine.data_dir, POOL))
        second = Machine(new_machine.data_dir.with_name("second"))
        stack.callback(second.clear)
        sites = PooledSites([new_machine, second], str(paths.sockets))
        for number, one in enumerate(sites.machines):
            one.settings = {
                "DATABASE_URL": f"postgresql://nof0@127.0.0.1:{pool}/nof0",
                "PGBOUNCER": "1",
                "DATABASE_DIRECT_URL": f"postgresql://postgres@{quote(str(paths.sockets), safe='')}/nof0",
                "REDIS_URL": f"unix://{paths.valkey_socket}?db=0",
                "SECRET_KEY": "of both servers " * 4,
                **({} if number == 0 else {"EXPORT_SECONDS": "0", "ALARM_SECONDS": "0"}),
            }
            process, _ = one.serve(port := free_port())
            threading.Thread(target=process.stdout.read if process.stdout else None, daemon=True).start()
            stack.callback(interrupt, process)
            sites.ports.append(port)
        sites.machines[0].python(ACCOUNT)
        made = sites.machines[0].python(TOKENS % SCOPES).split()[-len(SCOPES) :]
        sites.tokens = dict(zip(SCOPES, made, strict=True))
        yield sites
    holder.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture
def waiting(sites: PooledSites) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes with the clients of one server each, which all wait."""
    processes = []
    with closing(Client(f"http://127.0.0.1:{sites.ports[0]}", sites.tokens["engine"])) as client:
        cursor = client.configs()["cursor"]
    for port in sites.ports:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.waiting_clients"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        asked = {"port": port, "kind": "stream", "count": CLIENTS // 2, "tokens": [sites.tokens["engine"]]}
        print(json.dumps(asked | {"cursor": cursor}), file=process.stdin, flush=True)
        processes.append(process)
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def arrived(process: subprocess.Popen[str]) -> int:
    print("", file=process.stdin, flush=True)
    assert process.stdout is not None
    return sum(map(len, json.loads(process.stdout.readline()).values()))


def test_hundreds_of_engines_that_wait_at_two_servers_are_told_and_take_no_connection(
    sites: PooledSites, waiting: list[subprocess.Popen[str]]
) -> None:
    told = [0, 0]

    def all_told() -> bool:
        for number, process in enumerate(waiting):
            told[number] += arrived(process)
        return told == [CLIENTS // 2] * 2

    with closing(Client(f"http://127.0.0.1:{sites.ports[1]}", sites.tokens["operator"])) as operator:
        edited(operator, 1)
        wait_for(all_told)
        # The pool, and one listener of each server. The question itself is not counted.
        assert sites.asked(SESSIONS) <= POOL + len(sites.ports) + 1
        operator.ask_fleet("stop", reason="emergency")
        told[:] = [0, 0]
        wait_for(all_told)


def test_commands_and_the_browser_work_through_the_pool_and_leave_nothing_in_it(sites: PooledSites) -> None:
    first = sites.machines[0]
    for command in (
        ("sync_traders", str(CHECKOUT / "etc" / "manager.yaml")),
        ("check_record",),
        ("run_manager", "--once", "--no-sync"),
        ("backup", str(first.data_dir / "site.backup")),
        ("check", "--database", "default"),
    ):
        done = first.manage(*command)
        assert done.returncode == 0, (command, done.stdout)
    by_pool = dict(first.settings)
    first.settings = by_pool | {"DATABASE_DIRECT_URL": ""}
    for refused in (("backup", str(first.data_dir / "other.backup")), ("pg_tool", "pg_dump")):
        done = first.manage(*refused)
        assert done.returncode != 0
        assert "set DATABASE_DIRECT_URL to PostgreSQL itself" in done.stdout
    first.settings = by_pool
    for port in sites.ports:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as browser:
            _post(browser, "/admin/login/", username="mei", password=PASSWORD)
            page = _post(browser, "/admin/auth/group/add/", name=f"Of {port}")
            assert f"Of {port}" in page.text
            assert browser.get("/admin/traders/traderconfig/").status_code == 200
    # Of what goes on beside the pages one may wait for another for a moment.
    wait_for(lambda: sites.asked("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 0)
    assert (
        sites.asked("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND usename <> 'postgres'") == 0
    )


def _post(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(path).raise_for_status().text)
    assert found is not None
    answer = browser.post(
        path, data={"csrfmiddlewaretoken": found[1], **fields}, headers={"Referer": str(browser.base_url)}
    )
    return answer.raise_for_status()
