"""From the request that asks for a control to the answer of an engine that waits for it, beside none and ten others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from benchmarks.fleet import write_fleet
from benchmarks.meter import percentile
from benchmarks.read_api import serving
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.tokens import Scope
from traders.sync.services import sync
from traders.tokens import services as tokens
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

TRADERS = REPORTING = 10
CONTROLS = 150
WAITING = 10
# Seconds between two reports of an engine; None: no engine reports.
LOADS = {
    "no other requests": None,
    f"{REPORTING} engines report every 5 s": 5.0,
    f"{REPORTING} engines report without rest": 0.0,
}
# Between two controls, so that each meets engines that wait again.
REST_SECONDS = 0.05
PATIENCE_SECONDS = 60

Delivered = tuple[int, float]
"""(control, `time.perf_counter` when a waiting engine had it)."""


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    empty_tables()
    sync(file=read_manager_yaml(write_fleet(directory / "control-delivery", traders=TRADERS)), actor="bench")
    _token, text = tokens.create(name="bench", scopes=list(Scope), actor="bench")
    found = {}
    root = directory / "control-delivery-export"
    Exporter(Options(root)).cycle(analytics_seconds=None)
    with serving(root) as (port, _process):
        site = f"http://127.0.0.1:{port}/api/v1"
        for title, pause in LOADS.items():
            say(f"{CONTROLS} controls, {title}")
            with _reporting(site, text, pause) as counted:
                began = time.perf_counter()
                times = _measured(site, text)
                rate = sum(counted) / (time.perf_counter() - began)
            found[title] = (times, rate)
    return [_table(found)]


def _client(site: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=site, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS)


def _measured(site: str, token: str) -> dict[str, list[float]]:
    """Seconds from before the request: to its own answer, to each waiting engine, and to the last of them."""
    times: dict[str, list[float]] = {"asked": [], "delivered": [], "delivered to all": []}
    with _client(site, token) as operator, _waiting(site, token, WAITING) as arrivals:
        for number in range(CONTROLS):
            time.sleep(REST_SECONDS)
            body = {"kind": "release" if number % 2 else "stop", "reason": "a benchmark"}
            began = time.perf_counter()
            answer = operator.post("/fleet/controls", json=body).raise_for_status().json()
            times["asked"].append(time.perf_counter() - began)
            control = answer["controls"][0]["control"]["control_id"]
            moments = [_arrival(arrivals, control) - began for _ in range(WAITING)]
            times["delivered"] += moments
            times["delivered to all"].append(max(moments))
    return times


def _arrival(arrivals: Queue[Delivered], control: int) -> float:
    delivered, moment = arrivals.get(timeout=PATIENCE_SECONDS)
    if delivered != control:
        raise SystemExit(f"the control {control} was asked for, and {delivered} delivered")
    return moment


@contextmanager
def _waiting(site: str, token: str, engines: int) -> Iterator[Queue[Delivered]]:
    """Engines that wait for changes, and ask again with each cursor."""
    arrivals: Queue[Delivered] = Queue()
    is_over = threading.Event()

    def wait() -> None:
        with _client(site, token) as client:
            cursor = client.get("/configs").raise_for_status().json()["cursor"]
            ready.release()
            while not is_over.is_set():
                asked = {"after": cursor, "wait": 2}
                answer = client.get("/changes", params=asked).raise_for_status().json()
                moment = time.perf_counter()
                cursor = answer["cursor"]
                for change in answer["changes"]:
                    arrivals.put((change["control_id"], moment))

    ready = threading.Semaphore(0)
    with _threads(wait, engines, is_over):
        for _ in range(engines):
            ready.acquire(timeout=PATIENCE_SECONDS)
        yield arrivals


@contextmanager
def _reporting(site: str, token: str, pause: float | None) -> Iterator[list[int]]:
    """Engines that send heartbeats of all traders and points of equity one after the other; how many each sent."""
    engines = 0 if pause is None else REPORTING
    counted = [0] * engines
    is_over = threading.Event()
    beats = {"heartbeats": [{"trader_id": f"trader_{number:05}"} for number in range(TRADERS)]}

    def report() -> None:
        number = next(numbers)
        with _client(site, token) as client:
            while not is_over.is_set():
                point = {"ts_ms": time.time_ns() // 1_000_000, "equity_usd": 10_000}
                client.post("/heartbeats", json=beats).raise_for_status()
                client.put(f"/traders/trader_{number:05}/equity", json={"points": [point]}).raise_for_status()
                counted[number] += 2
                is_over.wait(pause)

    numbers = iter(range(engines))
    with _threads(report, engines, is_over):
        yield counted


@contextmanager
def _threads(target: Callable[[], None], count: int, is_over: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)


def _table(found: dict[str, tuple[dict[str, list[float]], float]]) -> Table:
    rows: list[list[str]] = []
    for title, (times, rate) in found.items():
        for name, seconds in times.items():
            shown: list[Any] = [1000 * percentile(seconds, share) for share in (0.5, 0.95, 0.99)]
            cells = [*shown, 1000 * max(seconds)]
            rows.append([f"{name}, {title}", str(len(seconds)), *(f"{cell:.0f}" for cell in cells), f"{rate:.0f}"])
    return Table(
        "Milliseconds from asking for a control to its delivery",
        ["figure", "measured", "p50", "p95", "p99", "slowest", "other requests/s"],
        rows,
        [
            f"{CONTROLS} stops and releases of a fleet of {TRADERS}, asked for over the API; {WAITING} "
            "engines wait at `/api/v1/changes`. All times begin before the request is "
            "sent: `asked` ends with its own answer, `delivered` when a waiting engine has read the control. One "
            "worker, four threads; server, engines and operator share the machine.",
        ],
    )
