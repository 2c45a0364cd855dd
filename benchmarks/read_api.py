"""Requests per second of the read API, of nginx with the same files, and of a plain Django view. On loopback only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.report import Table
from benchmarks.servers import empty_tables, environment
from benchmarks.trading_rows import make_record
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

Server = tuple[int, psutil.Process]
ROUNDS, ROUND_SECONDS, CONNECTIONS = 5, 3, 16
TRADERS, TRADES = 5, 270
PATH = "/api/trades"
# What `serve` starts.
_SERVE_AS_MADE = (
    "import django; django.setup();"
    "from nof0site.serving.web import configured_server;"
    "configured_server('nof0site.asgi:application', '127.0.0.1', {port}, {workers}).serve()"
)
_SERVE = (
    "from granian.constants import Interfaces; from granian.server import Server;"
    "Server({target!r}, address='127.0.0.1', port={port}, interface=Interfaces.WSGI, workers=1,"
    " blocking_threads={threads}, websockets=False, log_enabled=False).serve()"
)


class Measured(NamedTuple):
    """Requests per second, the slowest hundredth as wrk writes it, and microseconds of the server's processors."""

    rate: float
    p99: str
    cpu_us: float


Found = dict[str, dict[str, list[Measured]]]


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    if not (shutil.which("wrk") and shutil.which("nginx")):
        return [Table("Read API", ["skipped"], [["wrk and nginx are not installed (apt-get install wrk nginx)"]])]
    empty_tables()
    make_record(traders=TRADERS, trades=TRADES)
    root = directory / "read-api"
    manifest = Exporter(Options(root, trades=TRADES)).cycle(analytics_seconds=None)
    entry = manifest.entry("trades")
    assert entry is not None
    found: Found = {}
    with (
        _nginx(directory, root) as nginx,
        serving(root) as ours,
        granian("nof0site.wsgi:application", root) as wsgi,
        granian("benchmarks.obvious.bare_api:application", root) as bare,
        granian(
            "benchmarks.obvious.plain_api:application", root, DJANGO_SETTINGS_MODULE="benchmarks.settings"
        ) as plain,
    ):
        servers = {
            "nginx, static files": nginx,
            "read API": ours,
            "read API under WSGI": wsgi,
            "bare WSGI function": bare,
            "plain Django view": plain,
        }
        for _ in range(ROUNDS):
            for name, server in servers.items():
                say(name)
                for kind, headers in _kinds(server[0]).items():
                    found.setdefault(name, {}).setdefault(kind, []).append(_wrk(*server, headers))
    return [_table(found, entry.size, entry.gzip_size)]


def _kinds(port: int) -> dict[str, dict[str, str]]:
    packed = {"Accept-Encoding": "gzip"}
    etag = _etag(port, packed)
    return {"200": packed} | ({"304": {**packed, "If-None-Match": etag}} if etag else {})


def _etag(port: int, headers: dict[str, str]) -> str | None:
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers=headers)) as response:
        return str(response.headers["ETag"]) if response.headers["ETag"] else None


def _wrk(port: int, process: psutil.Process, headers: dict[str, str]) -> Measured:
    sent = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_SECONDS}s", "--latency", *sent]
    before = _cpu_seconds(process)
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{PATH}"], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    used = _cpu_seconds(process) - before
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"^\s+99%\s+(\S+)", said, re.MULTILINE)
    count = re.search(r"(\d+) requests in", said)
    if not (rate and p99 and count):
        raise SystemExit(f"wrk said: {said}")
    return Measured(float(rate[1]), p99[1], 1e6 * used / int(count[1]))


def _cpu_seconds(process: psutil.Process) -> float:
    """Of the process and its workers."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def _table(found: Found, size: int, packed: int) -> Table:
    limit = {kind: max(found["nginx, static files"][kind]).rate for kind in ("200", "304")}
    rows = []
    for name, kinds in found.items():
        row = [name]
        for kind in ("200", "304"):
            if rounds := kinds.get(kind):
                best = max(rounds)
                cpu = min(one.cpu_us for one in rounds)
                row += [f"{best.rate:,.0f}", f"{100 * best.rate / limit[kind]:.0f} %", best.p99, f"{cpu:.1f}"]
            else:
                row += ["-"] * 4
        rows.append(row)
    return Table(
        f"Requests per second for a document of {size / 1000:.0f} KB ({packed / 1000:.0f} KB compressed)",
        ["server", "200 gzip", "of nginx", "p99", "CPU us", "304", "of nginx", "p99", "CPU us"],
        rows,
        [
            f"wrk -t1 -c{CONNECTIONS} on the same machine, the best of {ROUNDS} rounds of {ROUND_SECONDS} s, the "
            "servers taking turns. `CPU us` are microseconds of the server's processors for a request, the least: "
            "where other work keeps the machine busy, they are steadier than the rate. nginx with one worker and "
            "gzip_static, the others under granian with one worker, whose limits for WSGI the bare function shows. The "
            "plain view queries and serializes 230 trades, and does not compress.",
        ],
    )


@contextmanager
def serving(root: Path, *, workers: int = 1) -> Iterator[Server]:
    """The server of `serve`."""
    port, env = _free_port(), environment() | {"EXPORT_DIR": str(root)}
    with _process([sys.executable, "-c", _SERVE_AS_MADE.format(port=port, workers=workers)], port, env) as server:
        yield server


@contextmanager
def granian(target: str, root: Path, **variables: str) -> Iterator[Server]:
    port, env = _free_port(), environment()
    env |= {"EXPORT_DIR": str(root), "BENCH_DATABASE_URL": env["DATABASE_URL"], **variables}
    code = _SERVE.format(target=target, port=port, threads=os.environ.get("WEB_THREADS", "4"))
    with _process([sys.executable, "-c", code], port, env) as server:
        yield server


@contextmanager
def _nginx(directory: Path, root: Path) -> Iterator[Server]:
    port, scratch = _free_port(), directory / "nginx"
    scratch.mkdir()
    places = " ".join(
        f"{name}_temp_path {scratch}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (scratch / "nginx.conf").write_text(
        f"user {'root' if not os.geteuid() else 'nobody'};\n"
        f"pid {scratch}/pid; error_log {scratch}/error.log; daemon off; worker_processes 1; events {{}}\n"
        "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=100;\n"
        f"{places}\n"
        f"server {{ listen 127.0.0.1:{port}; root {root}/current; gzip_static on; default_type application/json;\n"
        "location ~ ^/api/(?<document>[a-z-]+)$ { try_files /$document.json =404; } } }\n"
    )
    with _process(["nginx", "-c", str(scratch / "nginx.conf")], port, dict(os.environ)) as server:
        yield server


@contextmanager
def _process(command: list[str], port: int, env: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(command, env=env)
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} does not serve {PATH}")
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:  # on a busy machine; the next part must not meet it
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        return bool(_etag(port, {}) or True)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
