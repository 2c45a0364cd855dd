"""A thousand clients that wait for changes: when they are told, what they cost, what pages notice of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.fleet import write_fleet
from benchmarks.meter import percentile
from benchmarks.read_api import Server, serving
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from benchmarks.slow_senders import browse, session
from benchmarks.trading_rows import make_record
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.tokens import Scope
from traders.sync.services import sync
from traders.tokens import services as tokens
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

CLIENTS = TRADERS = 1_000
# Tokens that clients of all traders share.
SHARED_TOKENS = 100
CHANGES = 30
ROUNDS, ROUND_SECONDS = 3, 6.0
# Between two changes: all have been told, and who polls waits again.
REST_SECONDS = {"stream": 0.5, "poll": 12.0}
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Scenario:
    """`limited`: each client has a token for one trader, and the change is a stop of the fleet; else it is an edit."""

    title: str
    kind: str = "stream"
    limited: bool = False
    workers: int = 1
    changes: int = CHANGES


SCENARIOS = (
    Scenario("streams of all traders, an edit"),
    Scenario("streams of one trader each, a stop of the fleet", limited=True),
    Scenario("waiting requests of all traders, an edit", kind="poll", changes=5),
    Scenario("streams of all traders at two processes, an edit", workers=2),
)


@dataclass
class Found:
    """Seconds: from the click and from the change's own moment to each client, and to the last; `bytes` is what a
    client costs. `pages` are (times without clients, times with them)."""

    clicked: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    all_told: list[float] = field(default_factory=list)
    bytes: float = 0.0
    pages: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    empty_tables()
    sync(file=read_manager_yaml(write_fleet(directory / "waiting", traders=TRADERS)), actor="bench")
    make_record(traders=5, trades=270)
    root = directory / "waiting-export"
    Exporter(Options(root)).cycle(analytics_seconds=None)
    cookie, operator = session(), tokens.create(name="operator", scopes=list(Scope), actor="bench")[1]
    found = {}
    for scenario in SCENARIOS:
        with serving(root, workers=scenario.workers) as server:
            found[scenario.title] = _measured(scenario, server, cookie, operator, say)
    return [_delivery(found), _beside(found)]


def _measured(scenario: Scenario, server: Server, cookie: str, operator: str, say: Callable[[str], None]) -> Found:
    port, process = server
    found = Found()
    given = _tokens(scenario)
    browse(port, cookie, 2.0)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=PATIENCE_SECONDS) as client:
        client.headers["Authorization"] = f"Bearer {operator}"
        for number in range(ROUNDS):
            say(f"{scenario.title}, round {number + 1}")
            found.pages[0].extend(browse(port, cookie, ROUND_SECONDS)[0]["pages"])
            cursor = client.get("/configs", params={"config_id": "trader_00000"}).raise_for_status().json()["cursor"]
            before = _bytes(process)
            with _clients(scenario, port, given, cursor) as arrived:
                time.sleep(REST_SECONDS[scenario.kind])
                found.bytes = found.bytes or (_bytes(process) - before) / CLIENTS
                found.pages[1].extend(browse(port, cookie, ROUND_SECONDS)[0]["pages"])
                for _ in range(-(-scenario.changes // ROUNDS)):
                    _change(scenario, client, arrived, found)
    return found


def _tokens(scenario: Scenario) -> list[str]:
    count, limit = (CLIENTS, True) if scenario.limited else (SHARED_TOKENS, False)
    name = scenario.title.replace(" ", "-").replace(",", "")[:40]
    return [
        tokens.create(
            name=f"{name}-{number}",
            scopes=[Scope.READ_CONFIG],
            actor="bench",
            trader_ids=[f"trader_{number:05}"] if limit else None,
        )[1]
        for number in range(count)
    ]


def _change(
    scenario: Scenario, client: httpx.Client, arrived: Callable[[], dict[str, list[float]]], found: Found
) -> None:
    clicked = time.time()
    if scenario.limited:
        kind = "stop" if len(found.all_told) % 2 == 0 else "release"
        answer = client.post("/fleet/controls", json={"kind": kind, "reason": "a benchmark"})
        moment = answer.raise_for_status().json()["controls"][0]["control"]["at"]
    else:
        config = client.get("/configs/trader_00000").raise_for_status().json()
        settings = {"detail.risk.max_positions": 1 + config["version"] % 2}
        clicked = time.time()
        body = {"expected_version": config["version"], "reason": "a benchmark", "set": settings}
        client.patch("/configs/trader_00000", json=body).raise_for_status()
        moment = client.get("/configs/trader_00000").raise_for_status().json()["changed_at"]
    moments: list[float] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(moments) < CLIENTS:
        if time.monotonic() > deadline:
            raise SystemExit(f"{CLIENTS - len(moments)} of {CLIENTS} clients were not told")
        time.sleep(0.2)
        moments += [moment for times in arrived().values() for moment in times]
    began = datetime.fromisoformat(moment).timestamp()
    found.clicked += [moment - clicked for moment in moments]
    found.told += [moment - began for moment in moments]
    found.all_told.append(max(moments) - began)
    time.sleep(REST_SECONDS[scenario.kind])


@contextmanager
def _clients(
    scenario: Scenario, port: int, given: Sequence[str], cursor: str
) -> Iterator[Callable[[], dict[str, list[float]]]]:
    """What has come since it was last called."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.waiting_clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    asked: dict[str, Any] = {"port": port, "kind": scenario.kind, "count": CLIENTS, "tokens": given, "cursor": cursor}

    def arrived() -> dict[str, list[float]]:
        print("", file=process.stdin, flush=True)
        found: dict[str, list[float]] = json.loads(process.stdout.readline())  # type: ignore[union-attr]
        return found

    try:
        print(json.dumps(asked), file=process.stdin, flush=True)
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("the clients could not connect")
        yield arrived
    finally:
        process.kill()
        process.wait()
        # The server notices that they left.
        time.sleep(2)


def _bytes(process: psutil.Process) -> int:
    """Of the server's processes, without what they share."""
    return sum(one.memory_full_info().uss for one in (process, *process.children(recursive=True)))


def _delivery(found: dict[str, Found]) -> Table:
    rows = []
    for title, one in found.items():
        for name, seconds in (("told", one.told), ("all told", one.all_told), ("told, from the click on", one.clicked)):
            shown = [1000 * percentile(seconds, share) for share in (0.5, 0.95, 0.99)] + [1000 * max(seconds)]
            rows.append([f"{name}: {title}", str(len(seconds)), *(f"{value:.0f}" for value in shown)])
    return Table(
        f"Milliseconds to tell {CLIENTS:,} clients that wait of one change",
        ["figure", "measured", "p50", "p95", "p99", "slowest"],
        rows,
        [
            f"A fleet of {TRADERS:,}; the clients are one process beside the server, on the same cores. Times begin at "
            "the change's own moment, which the database gives just before it commits, or before the operator's "
            "request is sent. Clients of all traders share a hundred tokens; the others have a token each, limited to "
            "one trader.",
        ],
    )


def _beside(found: dict[str, Found]) -> Table:
    rows = []
    for title, one in found.items():
        cells = [f"{1000 * percentile(times, share):.1f}" for times in one.pages for share in (0.5, 0.95)]
        rows.append([title, *(str(len(times)) for times in one.pages), *cells, f"{one.bytes / 1000:.1f}"])
    return Table(
        f"Time of a page in ms without and with {CLIENTS:,} waiting clients, and memory of a client",
        ["clients", "pages", "with clients", "p50", "p95", "p50 with", "p95 with", "kB a client"],
        rows,
        [
            f"{ROUNDS} rounds of {ROUND_SECONDS:.0f} s each, in turns; one browser asks four pages one after the "
            "other. `kB a client` is the memory that the server's processes have more when all wait, "
            "once for each scenario.",
        ],
    )
