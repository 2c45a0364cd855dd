"""Engines that wait at a running site: they are told at once, outlive faults of the database, and end with the site."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from clients.python.nof0_control import Changes, Client, Config, ControlChange, ControlLoop, NotAllowed, Obeyed
from nof0site.embedded.paths import DataPaths
from tests.platform.processes import PATIENCE_SECONDS, Machine, free_port, interrupt, wait_for

pytestmark = pytest.mark.slow

TRADER = "majors_momentum"
LISTENERS = "SELECT {} FROM pg_stat_activity WHERE query LIKE 'LISTEN trader%'"
TOKENS = """
import django; django.setup()
from traders.tokens import services as tokens
for name, scopes in %s.items():
    print(tokens.create(name=name, scopes=scopes, actor="ann")[1])
"""
SCOPES = {
    "engine": ["read-config"],
    "leaving": ["read-config"],
    "obeying": ["read-config", "write-state"],
    "operator": ["control", "write-config"],
}


@dataclass
class Site:
    machine: Machine
    port: int
    process: Any
    tokens: dict[str, str]
    clients: list[Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, name: str) -> Client:
        self.clients.append(client := Client(self.address, self.tokens[name]))
        return client

    def listeners(self, what: str = "pid") -> list[Any]:
        """Of the connections that hear announcements."""
        sockets = str(DataPaths(self.machine.data_dir).sockets)
        with psycopg.connect(host=sockets, user="postgres", dbname="nof0") as connection:
            return [row[0] for row in connection.execute(LISTENERS.format(what))]


@dataclass
class Follower:
    """An engine in a thread of its own, whose versions and controls a test reads."""

    client: Client
    seen: list[str] = field(default_factory=list)
    is_ready: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def run(self) -> None:
        try:
            for found in self.client.stream_or_changes(self.client.configs()["cursor"], wait_seconds=20):
                self.is_ready.set()
                self.seen += [_name(change) for change in found["changes"]]
        except Exception as error:
            self.error = error

    def has(self, name: str) -> None:
        wait_for(lambda: name in self.seen or self.error is not None)
        assert self.error is None


def _name(change: Config | ControlChange) -> str:
    if change["kind"] == "control":
        return f"{change['control']} {change['reason']}"
    return f"{change['config_id']} {change['version']}"


@pytest.fixture
def site(machine: Machine, request: pytest.FixtureRequest) -> Iterator[Site]:
    machine.settings = getattr(request, "param", {})
    process, _ = machine.serve(port := free_port())
    # Its log would fill the pipe and stop it.
    threading.Thread(target=process.stdout.read if process.stdout else None, daemon=True).start()
    made = machine.python(TOKENS % SCOPES).split()[-len(SCOPES) :]
    site = Site(machine, port, process, dict(zip(SCOPES, made, strict=True)))
    yield site
    for client in site.clients:
        client.close()
    if process.poll() is None:
        interrupt(process)


@pytest.fixture
def following() -> Callable[[Client], Follower]:
    """Makes a client follow in a daemon thread, and waits until its stream has begun."""

    def make(client: Client) -> Follower:
        follower = Follower(client)
        threading.Thread(target=follower.run, daemon=True).start()
        assert follower.is_ready.wait(PATIENCE_SECONDS)
        return follower

    return make


def edited(client: Client, version: int) -> None:
    settings = {"detail.risk.max_positions": 10 + version}
    client.change_config(TRADER, settings, expected_version=version, reason="try")


@pytest.mark.parametrize("site", [{"WEB_WORKERS": "2"}], indirect=True)
def test_engines_at_two_processes_are_told_and_obey(site: Site, following: Callable[[Client], Follower]) -> None:
    engines = [following(site.client("engine")) for _ in range(8)]
    operator = site.client("operator")
    obeyed: list[tuple[str, str]] = []

    def obey(control: ControlChange, trader_id: str) -> Obeyed:
        obeyed.append((control["control"], trader_id))
        return Obeyed()

    loop = ControlLoop(site.client("obeying"), [TRADER], obey=obey, apply=lambda _config: None)
    running = loop.follow()
    next(running)
    next(running)  # the first event of the stream
    loop.beat([{"trader_id": TRADER}])
    assert loop.may_open(TRADER)

    edited(operator, 1)
    operator.ask_fleet("stop", reason="emergency")

    for engine in engines:
        engine.has(f"{TRADER} 2")
        engine.has("stop emergency")
    while not obeyed:
        next(running)
    assert (obeyed, loop.may_open(TRADER)) == ([("stop", TRADER)], False)
    assert len(operator.controls(TRADER)["controls"]) == 1
    assert 1 <= len(site.listeners()) <= 2, "one connection a process"


def test_engines_at_two_servers_of_one_database_hear_of_one_edit(
    site: Site, new_machine: Machine, following: Callable[[Client], Follower]
) -> None:
    first = DataPaths(site.machine.data_dir)
    new_machine.settings = {
        "DATABASE_URL": f"postgresql://postgres@{quote(str(first.sockets), safe='')}/nof0",
        "REDIS_URL": f"unix://{first.valkey_socket}?db=0",
        "EXPORT_SECONDS": "0",
        "ALARM_SECONDS": "0",
    }
    process, _ = new_machine.serve(port := free_port())
    threading.Thread(target=process.stdout.read if process.stdout else None, daemon=True).start()
    other = Site(new_machine, port, process, site.tokens)
    here, there = following(site.client("engine")), following(other.client("engine"))
    # One connection a server. A stream begins with what is stored, while its server still begins to listen.
    wait_for(lambda: len(site.listeners()) == 2)

    edited(site.client("operator"), 1)
    for engine in (here, there):
        engine.has(f"{TRADER} 2")
    edited(other.client("operator"), 2)
    other.client("operator").ask_fleet("stop", reason="emergency")
    for engine in (here, there):
        engine.has(f"{TRADER} 3")
        engine.has("stop emergency")
    cursors = {one.client("engine").configs()["cursor"] for one in (site, other)}
    assert len(cursors) == 1

    for client in other.clients:
        client.close()
    assert interrupt(process) == 0
    edited(site.client("operator"), 3)
    here.has(f"{TRADER} 4")
    assert [name for name in here.seen if name.startswith(TRADER)] == [f"{TRADER} {version}" for version in (2, 3, 4)]


def test_a_lost_listener_and_a_database_that_was_away_lose_nothing(
    site: Site, following: Callable[[Client], Follower]
) -> None:
    engine, operator = following(site.client("engine")), site.client("operator")
    wait_for(site.listeners)
    (pid,) = site.listeners()
    assert site.listeners("pg_terminate_backend(pid)") == [True]
    edited(operator, 1)
    engine.has(f"{TRADER} 2")
    wait_for(lambda: site.listeners() not in ([], [pid]))

    cluster = DataPaths(site.machine.data_dir).cluster
    control = cluster / "global" / "pg_control"
    # Before the kill: the site may start a killed server again at any moment.
    aside = control.rename(control.with_suffix(".aside"))
    site.machine.kill_servers_of(cluster)
    with httpx.Client(base_url=f"{site.address}/api/v1", timeout=60) as other:
        refused = other.get(
            "/changes", headers={"Authorization": f"Bearer nof0_{'a' * 43}", "Accept": "text/event-stream"}
        )
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert engine.error is None
    aside.rename(control)
    edited(operator, 2)
    engine.has(f"{TRADER} 3")


def test_a_revoked_token_ends_the_stream_and_who_left_is_forgotten(
    site: Site, following: Callable[[Client], Follower]
) -> None:
    engine = following(site.client("engine"))
    assert site.machine.manage("api_tokens", "revoke", "engine").returncode == 0
    wait_for(lambda: engine.error is not None)
    assert isinstance(engine.error, NotAllowed)
    wait_for(lambda: site.listeners() == [])

    token = site.tokens["leaving"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    with httpx.stream("GET", f"{site.address}/api/v1/changes", headers=headers) as answer:
        # httpx closes the connection once the iterator is collected, so it is kept.
        parts = answer.iter_bytes()
        assert next(parts).startswith(b"id: ")
        wait_for(lambda: len(site.listeners()) == 1)
    wait_for(lambda: site.listeners() == [])


def test_at_a_stop_all_are_answered_whole(site: Site) -> None:
    token = site.tokens["engine"]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{site.address}/api/v1/changes"
    begun: list[httpx.Response] = []
    hooks = {"response": [begun.append]}
    with httpx.Client(headers=headers, timeout=120, event_hooks=hooks) as client, ThreadPoolExecutor(20) as pool:
        cursor = client.get(f"{site.address}/api/v1/configs").json()["cursor"]
        params = {"after": cursor, "wait": "50"}
        polls = [pool.submit(client.get, address, params=params) for _ in range(10)]
        events = {"Accept": "text/event-stream"}
        streams = [pool.submit(client.get, address, params=params, headers=events) for _ in range(10)]
        # The streams, which were asked for last, have begun; and the first question is answered.
        wait_for(lambda: len(begun) == 1 + len(streams))
        time.sleep(2)
        assert not any(one.done() for one in polls + streams)
        began = time.monotonic()
        assert interrupt(site.process) == 0
        assert time.monotonic() - began < 40, "the polls would wait for longer"
        for one in polls:
            found: Changes = one.result().json()
            assert (one.result().status_code, found["cursor"]) == (200, cursor)
        for one in streams:
            assert one.result().content.endswith(b"\n\n")
