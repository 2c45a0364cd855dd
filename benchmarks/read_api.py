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

from benchmarks.report import Table
from benchmarks.servers import empty_tables, environment
from benchmarks.trading_rows import make_record
from trading.exporter.cycle import Exporter
from trading.exporter.options import Options

ROUNDS, ROUND_SECONDS, CONNECTIONS = 3, 4, 16
TRADERS, TRADES = 5, 270
PATH = "/api/trades"
_SERVE = (
    "from granian.constants import Interfaces; from granian.server import Server;"
    "Server({target!r}, address='127.0.0.1', port={port}, interface=Interfaces.WSGI, workers=1,"
    " blocking_threads={threads}, websockets=False, log_enabled=False).serve()"
)


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    if not (shutil.which("wrk") and shutil.which("nginx")):
        return [Table("Read API", ["skipped"], [["wrk and nginx are not installed (apt-get install wrk nginx)"]])]
    empty_tables()
    make_record(traders=TRADERS, trades=TRADES)
    root = directory / "read-api"
    manifest = Exporter(Options(root, trades=TRADES)).cycle(analytics_seconds=None)
    entry = manifest.entry("trades")
    assert entry is not None
    found: dict[str, dict[str, list[tuple[float, str]]]] = {}
    with (
        _nginx(directory, root) as nginx,
        _granian("nof0site.wsgi:application", root) as ours,
        _granian("benchmarks.obvious.bare_api:application", root) as bare,
        _granian(
            "benchmarks.obvious.plain_api:application", root, DJANGO_SETTINGS_MODULE="benchmarks.settings"
        ) as plain,
    ):
        ports = {"nginx, static files": nginx, "read API": ours, "bare WSGI function": bare, "plain Django view": plain}
        for _ in range(ROUNDS):
            for name, port in ports.items():
                say(name)
                for kind, headers in _kinds(port).items():
                    found.setdefault(name, {}).setdefault(kind, []).append(_wrk(port, headers))
    return [_table(found, entry.size, entry.gzip_size)]


def _kinds(port: int) -> dict[str, dict[str, str]]:
    packed = {"Accept-Encoding": "gzip"}
    etag = _etag(port, packed)
    return {"200": packed} | ({"304": {**packed, "If-None-Match": etag}} if etag else {})


def _etag(port: int, headers: dict[str, str]) -> str | None:
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers=headers)) as response:
        return str(response.headers["ETag"]) if response.headers["ETag"] else None


def _wrk(port: int, headers: dict[str, str]) -> tuple[float, str]:
    """(requests per second, p99)."""
    sent = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{ROUND_SECONDS}s", "--latency", *sent]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{PATH}"], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"^\s+99%\s+(\S+)", said, re.MULTILINE)
    if not (rate and p99):
        raise SystemExit(f"wrk said: {said}")
    return float(rate[1]), p99[1]


def _table(found: dict[str, dict[str, list[tuple[float, str]]]], size: int, packed: int) -> Table:
    def best(name: str, kind: str) -> tuple[float, str]:
        return max(found[name].get(kind, [(0.0, "-")]))

    limit = {kind: best("nginx, static files", kind)[0] for kind in ("200", "304")}
    rows = []
    for name in found:
        row = [name]
        for kind in ("200", "304"):
            rate, p99 = best(name, kind)
            row += [f"{rate:,.0f}", f"{100 * rate / limit[kind]:.0f} %", p99] if rate else ["-", "-", "-"]
        rows.append(row)
    return Table(
        f"Requests per second for a document of {size / 1000:.0f} KB ({packed / 1000:.0f} KB compressed)",
        ["server", "200 gzip", "of nginx", "p99", "304", "of nginx", "p99"],
        rows,
        [
            f"wrk -t1 -c{CONNECTIONS} on the same machine, the best of {ROUNDS} rounds of {ROUND_SECONDS} s, the "
            "servers taking turns. nginx with one worker and gzip_static; the others under granian with one worker, "
            "whose limit the bare function shows. The plain view "
            "queries and serializes 230 trades, and does not compress.",
        ],
    )


@contextmanager
def _granian(target: str, root: Path, **variables: str) -> Iterator[int]:
    port, env = _free_port(), environment()
    env |= {"EXPORT_DIR": str(root), "BENCH_DATABASE_URL": env["DATABASE_URL"], **variables}
    code = _SERVE.format(target=target, port=port, threads=os.environ.get("WEB_THREADS", "4"))
    with _process([sys.executable, "-c", code], port, env):
        yield port


@contextmanager
def _nginx(directory: Path, root: Path) -> Iterator[int]:
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
    with _process(["nginx", "-c", str(scratch / "nginx.conf")], port, dict(os.environ)):
        yield port


@contextmanager
def _process(command: list[str], port: int, env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=env)
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} does not serve {PATH}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _answers(port: int) -> bool:
    try:
        return bool(_etag(port, {}) or True)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
