"""A running site between clients that send slowly, send too much or leave, and a PostgreSQL that answers no client."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.platform.processes import Machine, free_port, interrupt, password_in, wait_for

pytestmark = pytest.mark.faults

SENDERS = 200
# So long pages wait for a PostgreSQL that answers no client.
CONNECT_SECONDS = 20
SETTINGS = {
    "EXPORT_SECONDS": "1",
    "WEB_BODY_SECONDS": "3",
    "WEB_HEADER_SECONDS": "3",
    "DATABASE_CONNECT_SECONDS": str(CONNECT_SECONDS),
}
# Without the cookie Django refuses a form before it reads it.
FORM = {"Cookie": "csrftoken=" + "a" * 32, "Content_Type": "application/x-www-form-urlencoded"}


@dataclass
class Site:
    machine: Machine
    port: int
    password: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, content); cookies are kept as a browser keeps them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            for cookie in answer.msg.get_all("Set-Cookie", []):
                name, _, value = cookie.strip().partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def log_in(self) -> None:
        _, _, page = self.ask("/admin/login/")
        found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        form = {"csrfmiddlewaretoken": found[1].decode(), "username": "admin", "password": self.password}
        status, _, _ = self.ask(
            "/admin/login/",
            "POST",
            urllib.parse.urlencode(form).encode(),
            Content_Type="application/x-www-form-urlencoded",
        )
        assert status == 302

    def connect(self, sent: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(sent)
        return connection

    @property
    def server_pids(self) -> list[int]:
        return [int(entry.split()[0]) for entry in self.machine.running() if entry.endswith(" postgres")]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    parent = Path(tempfile.mkdtemp(prefix="nof0-platform-"))
    parent.chmod(0o755)
    machine = Machine(parent / "data", SETTINGS)
    try:
        port = free_port()
        running, said = machine.serve(port)
        site = Site(machine, port, password_in(said))
        wait_for(lambda: site.ask("/api/trades")[0] == 200)
        yield site
        interrupt(running)
    finally:
        machine.clear()
        shutil.rmtree(parent)


def head(path: str, length: int, **headers: str) -> bytes:
    lines = {"Host": "localhost", "Content-Length": str(length)} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
    ).encode()


def received(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    content = b""
    try:
        while piece := connection.recv(65536):
            content += piece
    except ConnectionResetError:
        pass
    return content


def seconds(site: Site, path: str) -> float:
    began = time.perf_counter()
    assert site.ask(path)[0] == 200
    return time.perf_counter() - began


def test_two_hundred_slow_senders_stop_no_page_and_are_cut_off(site: Site) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(site.connect(head("/admin/login/", 60_000, **FORM) + b"a")) for _ in range(SENDERS)]
        for _ in range(5):
            for path in ("/admin/login/", "/api/trades", "/api/health"):
                assert seconds(site, path) < 5
            for connection in slow[:50]:
                # One of those beyond the bound of an address is refused already.
                with contextlib.suppress(OSError):
                    connection.sendall(b"a")
        answers = [received(connection) for connection in slow]
    assert all(answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 503 ")) for answer in answers)
    assert seconds(site, "/admin/login/") < 5


def test_slow_headers_are_cut_off(site: Site) -> None:
    with site.connect(b"POST /admin/login/ HTTP/1.1\r\nHost: loc") as connection:
        assert received(connection) == b""


def test_an_anonymous_upload_of_400_mb_is_refused_before_it_is_sent(site: Site) -> None:
    kind = "multipart/form-data; boundary=x"
    for path in ("/admin/login/", "/admin/traders/traderconfig/upload/", "/api/v1/configs/x", "/nowhere"):
        with site.connect(head(path, 400_000_000, Content_Type=kind)) as connection:
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 413 "), path
        assert b"at most" in answer


def test_nothing_of_a_chunked_body_is_kept_beyond_the_limit(site: Site) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with site.connect(
        b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    ) as connection:
        try:
            for _ in range(200):
                connection.sendall(chunk)
        except OSError:
            return
        assert received(connection).startswith(b"HTTP/1.1 413 ")


def test_a_form_goes_through_in_one_piece_in_chunks_and_after_100_continue(site: Site) -> None:
    site.log_in()
    status, _, page = site.ask("/admin/")
    assert status == 200
    found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1].decode()}).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
    lines = f"POST /admin/logout/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {cookies}\r\n"
    lines += "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
    with site.connect(f"{lines}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n".encode()) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        for part in (body[:10], body[10:]):
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:500]


def test_a_head_has_the_headers_of_the_page_and_no_body(site: Site) -> None:
    for path in ("/admin/login/", "/api/leaderboard", "/api/health"):
        status, headers, content = site.ask(path, "HEAD")
        assert (status, content) == (200, b""), path
        assert int(headers["content-length"]) > 0


def test_a_download_arrives_whole(site: Site) -> None:
    site.log_in()
    status, headers, content = site.ask("/admin/traders/traderconfig/changes/csv/")
    assert status == 200
    assert headers["content-type"].startswith("text/csv")
    assert content.count(b"\n") > 3


def test_static_files_come_compressed_and_are_kept_for_ever(site: Site) -> None:
    site.cookies.clear()
    page = site.ask("/admin/login/")[2].decode()
    address = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert address
    status, headers, _ = site.ask(address[1], Accept_Encoding="gzip")
    assert (status, headers.get("content-encoding")) == (200, "gzip")
    assert "immutable" in headers["cache-control"]


@contextlib.contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    # The postmaster first, so that none comes; a session may end by itself until it is stopped.
    for pid in sorted(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_the_read_api_never_waits_for_a_stopped_postgresql_and_busy_pages(site: Site) -> None:
    site.log_in()
    assert site.server_pids
    with ThreadPoolExecutor(8) as pool, stopped(site.server_pids):
        pages = [pool.submit(site.ask, "/admin/") for _ in range(8)]
        time.sleep(1)
        assert not any(page.done() for page in pages)
        found = {}
        for path in ("/api/trades", "/api/health", "/api/account-totals?lastHourlyMarker=1"):
            found[path] = statistics.median(seconds(site, path) for _ in range(20))
        assert not any(page.done() for page in pages)
        assert json.loads(site.ask("/api/health")[2])["export"]["as_of"]
    # The median, because other tests may use the processors; one that waits for a store would wait to the end.
    assert max(found.values()) < 1, found
