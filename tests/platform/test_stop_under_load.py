"""Ten engines report to the site's own server while an operator stops the fleet: nothing that they open after the ban
stands in the record without its mark, their exits are taken, and no engine hears that it may go on."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.platform.processes import Machine, free_port, interrupt, wait_for

pytestmark = pytest.mark.slow

ENGINES = 10
OPENINGS_AFTER = 5
# Openings within a minute after a ban were on their way. These engines date theirs a minute ahead, as far as clocks
# may be apart, so that the test need not wait.
AHEAD_MS = 61_000
PATIENCE_SECONDS = 120

ClientOf = Callable[[str, str], httpx.Client]

FLEET = """
import django; django.setup()
from decimal import Decimal
from tests.factories import make_trader, sync_traders
sync_traders(*[
    make_trader(f"engine_{number}", allocation_pct=Decimal(5), detail__auto_start=True) for number in range(%d)
], retire_missing=True)
"""
MARKS = """
import django; django.setup()
import json
from trading.models import Position
found = Position.objects.values_list("trader_id", "symbol", "detail__against_control__control_id")
print(json.dumps([[trader_id, symbol, mark] for trader_id, symbol, mark in found]))
"""


@dataclass
class Opening:
    """Of one engine. Times are of `time.monotonic`: before the request was sent, and when it was answered."""

    trader_id: str
    symbol: str
    sent: float
    answered: float


@dataclass
class Load:
    """What the engines saw. `leases` are (when the heartbeat was sent and answered, for how long entries were
    allowed)."""

    openings: list[Opening] = field(default_factory=list)
    leases: list[tuple[float, float, float]] = field(default_factory=list)
    closes: list[float] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def opened_since(self, moment: float) -> dict[str, int]:
        counts = {f"engine_{number}": 0 for number in range(ENGINES)}
        for one in list(self.openings):
            counts[one.trader_id] += one.sent > moment
        return counts


@pytest.fixture
def site(machine: Machine) -> Iterator[str]:
    """The address of the API of a running site with ten traders."""
    port = free_port()
    process, _ = machine.serve(port)
    machine.python(FLEET % ENGINES)
    yield f"http://127.0.0.1:{port}/api/v1"
    interrupt(process)


@pytest.fixture
def client_of(machine: Machine, site: str) -> Iterator[ClientOf]:
    """Makes clients by name and scope."""
    with ExitStack() as clients:
        yield lambda name, scope: clients.enter_context(_client(machine, site, name, scope))


def _client(machine: Machine, site: str, name: str, scope: str) -> httpx.Client:
    made = machine.manage("api_tokens", "create", name, "--scope", scope)
    assert made.returncode == 0, made.stdout
    token = made.stdout.split()[-1]
    return httpx.Client(base_url=site, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS)


def report(engine: httpx.Client, trader_id: str, load: Load) -> None:
    """An engine that knows no controls: opens, and closes every second one, as fast as it is answered."""
    number = 0
    while not load.is_over.is_set():
        number += 1
        symbol = f"S{number}"
        opened_ms = time.time_ns() // 1_000_000 + AHEAD_MS
        entry = {"price": 100, "quantity": 1, "time_ms": opened_ms}
        sent = time.monotonic()
        expect(engine.put(f"/traders/{trader_id}/positions", json={"symbol": symbol, "side": "long", "entry": entry}))
        load.openings.append(Opening(trader_id, symbol, sent, time.monotonic()))
        if number % 2:
            closing = {"symbol": symbol, "price": 101, "closed_at_ns": (opened_ms + 1) * 1_000_000}
            expect(engine.post(f"/traders/{trader_id}/positions/close", json=closing))
            load.closes.append(time.monotonic())
        sent = time.monotonic()
        beat = expect(engine.post(f"/traders/{trader_id}/heartbeat", json={}))
        load.leases.append((sent, time.monotonic(), beat["entries_allowed_for_s"]))


def expect(response: httpx.Response) -> Any:
    """A record of what happened is taken, ban or not."""
    assert response.status_code == 200, response.text
    return response.json()


def test_no_opening_after_a_fleet_stop_is_recorded_without_its_mark(machine: Machine, client_of: ClientOf) -> None:
    operator, engine = client_of("operator", "stop"), client_of("engines", "write-state")
    load = Load()
    with ThreadPoolExecutor(ENGINES) as pool:
        running = [pool.submit(report, engine, f"engine_{number}", load) for number in range(ENGINES)]
        try:
            before = time.monotonic()
            wait_for(lambda: is_broken(running) or min(load.opened_since(before).values()) >= 2, PATIENCE_SECONDS)
            asked = time.monotonic()
            stop = expect(operator.post("/fleet/controls", json={"kind": "stop", "reason": "emergency"}))
            banned = time.monotonic()
            wait_for(
                lambda: is_broken(running) or min(load.opened_since(banned).values()) >= OPENINGS_AFTER,
                PATIENCE_SECONDS,
            )
        finally:
            load.is_over.set()
        for one in running:
            one.result()

    control_id = stop["controls"][0]["control"]["control_id"]
    marks = {(trader_id, symbol): mark for trader_id, symbol, mark in recorded(machine)}
    assert set(marks) == {(one.trader_id, one.symbol) for one in load.openings}
    after = [one for one in load.openings if one.sent > banned]
    assert len(after) >= ENGINES * OPENINGS_AFTER
    assert {marks[one.trader_id, one.symbol] for one in after} == {control_id}
    assert {marks[one.trader_id, one.symbol] for one in load.openings if one.answered < asked} == {None}
    assert any(moment > banned for moment in load.closes)
    assert {lease for sent, _answered, lease in load.leases if sent > banned} == {0}
    assert {lease for _sent, answered, lease in load.leases if answered < asked} <= {30}


def is_broken(running: list[Any]) -> bool:
    return any(one.done() for one in running)


def recorded(machine: Machine) -> list[tuple[str, str, int | None]]:
    return [tuple(row) for row in json.loads(machine.python(MARKS).splitlines()[-1])]
