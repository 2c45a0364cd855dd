"""Pages and the read API beside 200 clients that send their bodies a byte a second, in turns with none."""

from __future__ import annotations

import selectors
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from benchmarks.fleet import write_fleet
from benchmarks.meter import percentile
from benchmarks.read_api import granian, serving
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from benchmarks.trading_rows import make_record
from traders.manager_yaml.reader import read_manager_yaml
from traders.sync.services import sync
from trading.export.cycle import Exporter
from trading.export.parts.options import Options

SENDERS = 200
ROUNDS, ROUND_SECONDS = 4, 6.0
PATIENCE_SECONDS = 4.0
TRADERS = 100
PAGES = ("/admin/", "/admin/traders/traderconfig/", "/admin/traders/traderconfig/changes/", "/admin/login/")
DOCUMENTS = ("/api/trades", "/api/health")
# With a cookie of a form, for otherwise Django refuses it before it reads the body.
BODY = (
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
)


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    empty_tables()
    sync(file=read_manager_yaml(write_fleet(directory / "slow-senders", traders=TRADERS)), actor="bench")
    make_record(traders=5, trades=270)
    root = directory / "slow-senders-export"
    Exporter(Options(root)).cycle(analytics_seconds=None)
    cookie = session()
    found: dict[str, dict[str, list[float]]] = {}
    unanswered: dict[str, int] = {}
    with serving(root) as ours, granian("nof0site.wsgi:application", root) as wsgi:
        for name, (port, _) in (("event loop in front", ours), ("WSGI server", wsgi)):
            browse(port, cookie, 2.0)
            for number in range(ROUNDS):
                for senders in (0, SENDERS):
                    say(f"{name}, round {number + 1}, {senders} slow senders")
                    with _slow_senders(port, senders):
                        times, lost = browse(port, cookie, ROUND_SECONDS)
                    row = f"{name}, {senders} slow senders"
                    for kind, seconds in times.items():
                        found.setdefault(row, {}).setdefault(kind, []).extend(seconds)
                    unanswered[row] = unanswered.get(row, 0) + lost
    return [_table(found, unanswered)]


def _table(found: dict[str, dict[str, list[float]]], unanswered: dict[str, int]) -> Table:
    rows = []
    for row in unanswered:
        cells = [row]
        for kind in ("pages", "documents"):
            times = found.get(row, {}).get(kind, [])
            cells += [
                str(len(times)),
                *(f"{1000 * percentile(times, share):.1f}" if times else "-" for share in (0.5, 0.95)),
            ]
        rows.append([*cells, str(unanswered[row])])
    return Table(
        f"Milliseconds of a page and of a document beside {SENDERS} slow senders",
        ["server", "pages", "p50", "p95", "documents", "p50", "p95", "unanswered"],
        rows,
        [
            f"{ROUNDS} rounds of {ROUND_SECONDS:.0f} s with and without senders in turns; one browser asks "
            f"{len(PAGES)} pages of a fleet of {TRADERS} and {len(DOCUMENTS)} documents one after the other and gives "
            f"up after {PATIENCE_SECONDS:.0f} s. A sender announces 60,000 bytes for the login page, sends one a "
            "second, and comes again when it is refused. Both servers have one worker and four page threads.",
        ],
    )


def session() -> str:
    user = get_user_model().objects.filter(is_superuser=True).first()
    user = user or get_user_model().objects.create_superuser(username="bench", email="", password=None)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"


def browse(port: int, cookie: str, seconds: float) -> tuple[dict[str, list[float]], int]:
    """(times by kind, how many were not answered in time)."""
    times: dict[str, list[float]] = {"pages": [], "documents": []}
    lost, until = 0, time.monotonic() + seconds
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    while time.monotonic() < until:
        for kind, paths in (("pages", PAGES), ("documents", DOCUMENTS)):
            for path in paths:
                began = time.perf_counter()
                try:
                    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Cookie": cookie})
                    with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                        answer.read()
                except (OSError, urllib.error.URLError):
                    lost += 1
                else:
                    times[kind].append(time.perf_counter() - began)
    return times, lost


@contextmanager
def _slow_senders(port: int, count: int) -> Iterator[None]:
    stop = threading.Event()
    sending = threading.Thread(target=_send_slowly, args=(port, count, stop))
    sending.start()
    time.sleep(1.5)
    try:
        yield
    finally:
        stop.set()
        sending.join()


def _send_slowly(port: int, count: int, stop: threading.Event) -> None:
    """A byte of every connection each second; one that the server ended begins again."""
    connections: dict[int, socket.socket] = {}
    while not stop.is_set():
        for number in range(count):
            connection = connections.get(number)
            try:
                if connection is None:
                    connection = connections[number] = socket.create_connection(("127.0.0.1", port), timeout=2)
                    connection.sendall(BODY)
                elif _is_answered(connection):
                    connections.pop(number).close()
                    continue
                connection.sendall(b"a")
            except OSError:
                if number in connections:
                    connections.pop(number).close()
        stop.wait(1.0)
    for connection in connections.values():
        connection.close()


def _is_answered(connection: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))
