"""What a page's thread is never asked for: slow, large or broken requests, and clients that read slowly."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof0site.serving import bodies
from nof0site.serving.body_limits import FORM_BYTES, SMALL_BYTES, UPLOAD_BYTES
from nof0site.serving.front import FrontServer
from nof0site.serving.replies import MEMORY_BYTES, Application, ReplyAborted
from tests.platform.asgi_client import LOGIN, SESSION, UPLOAD, Client, fronted, scope
from tests.trading.export.public_api.client import make_run

TOKEN = {"authorization": "Bearer nof0_" + "a" * 43}
Test = Callable[[FrontServer], Coroutine[Any, Any, None]]


class Page:
    """A WSGI application that notes what it was asked, and answers what it was sent."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.willing = "200 OK"

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], content))
        self.go_on.wait(20)
        status = self.willing if environ["REQUEST_METHOD"] == "GET" else "200 OK"
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))])
        return [content]


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.go_on.set()


def run(behind: Application, root: Path, test: Test, **how: Any) -> None:
    with fronted(behind, root, **how) as front:
        asyncio.run(asyncio.wait_for(test(front), 30))


async def ask(front: FrontServer, what: dict[str, Any], client: Client | None = None) -> Client:
    client = client or Client()
    await front(what, client.receive, client.send)
    return client


def post(path: str, length: int | None, **headers: str) -> dict[str, Any]:
    size = {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
    return scope("POST", path, **size, **headers)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_body_arrives_as_it_was_sent(page: Page, tmp_path: Path) -> None:
    async def test(front: FrontServer) -> None:
        client = await ask(front, post(LOGIN, 6), Client([b"abc", b"", b"def"]))
        assert (client.status, client.content, client.is_complete) == (200, b"abcdef", True)
        chunked = await ask(front, post(LOGIN, None), Client([b"abc", b"def"]))
        assert chunked.content == b"abcdef"

    run(page, tmp_path, test)
    assert page.asked == [("POST", LOGIN, b"abcdef")] * 2


def test_slow_senders_are_answered_408_and_no_page_is_asked(page: Page, tmp_path: Path) -> None:
    async def test(front: FrontServer) -> None:
        slow = [asyncio.ensure_future(ask(front, post(LOGIN, 50), Client([b"a"], is_whole=False))) for _ in range(50)]
        await asyncio.sleep(0.05)
        assert (await ask(front, scope(path="/admin/"))).status == 200
        for client in await asyncio.gather(*slow):
            assert (client.status, client.headers["connection"]) == (408, "close")

    run(page, tmp_path, test, seconds=0.3)
    assert [asked[:2] for asked in page.asked] == [("GET", "/admin/")]


def test_a_long_body_has_the_time_that_its_rate_gives_it(page: Page, tmp_path: Path) -> None:
    async def test(front: FrontServer) -> None:
        front.bodies.rate = 1_000
        # 0.2 s, and a second for each kilobyte that came; 5.2 s would be the time of all that was announced.
        client = Client([b"x" * 500], is_whole=False)
        began = time.monotonic()
        await ask(front, post(LOGIN, 5_000), client)
        assert client.status == 408
        assert 0.6 < time.monotonic() - began < 5

    run(page, tmp_path, test, seconds=0.2)


@pytest.mark.parametrize(
    ("path", "headers", "most"),
    [
        (LOGIN, {}, SMALL_BYTES),
        (LOGIN, SESSION, SMALL_BYTES),
        ("/admin/traders/", {}, SMALL_BYTES),
        ("/admin/traders/", SESSION, FORM_BYTES),
        (UPLOAD, {}, SMALL_BYTES),
        (UPLOAD, SESSION, UPLOAD_BYTES),
        ("/api/v1/configs", {}, SMALL_BYTES),
        ("/api/v1/configs", SESSION, SMALL_BYTES),
        ("/api/v1/configs", {"authorization": "Bearer x"}, SMALL_BYTES),
        ("/api/v1/configs", TOKEN, FORM_BYTES),
    ],
)
def test_a_body_too_large_for_its_page_is_refused_unread(
    page: Page, tmp_path: Path, path: str, headers: dict[str, str], most: int
) -> None:
    async def test(front: FrontServer) -> None:
        announced = await ask(front, post(path, most + 1, **headers))
        assert (announced.status, announced.headers["connection"], announced.asked_for_body) == (413, "close", 0)
        page.asked.clear()
        pieces = (b"x" * 65_536 for _ in range(500))
        chunked = await ask(front, post(path, None, **headers), Client(pieces))
        assert chunked.status == 413
        assert chunked.asked_for_body <= most // 65_536 + 2
        assert [method for method, _, _ in page.asked] == (["GET"] if path == UPLOAD and headers else [])
        page.asked.clear()
        fits = await ask(front, post(path, most, **headers), Client([b"x" * most]))
        assert (fits.status, len(page.asked[-1][2])) == (200, most)

    run(page, tmp_path, test)


def test_refusals_are_json_under_api_and_text_elsewhere(page: Page, tmp_path: Path) -> None:
    async def test(front: FrontServer) -> None:
        program = await ask(front, post("/api/v1/configs", 10**9))
        assert program.headers["content-type"] == "application/json"
        assert b"64 kB at most" in program.content
        person = await ask(front, post(LOGIN, 10**9))
        assert person.content == b"Request Entity Too Large. This address takes 64 kB at most.\n"

    run(page, tmp_path, test)


def test_a_large_upload_is_read_only_from_who_may_see_the_page(page: Page, tmp_path: Path) -> None:
    async def test(front: FrontServer) -> None:
        page.willing = "403 Forbidden"
        refused = await ask(front, post(UPLOAD, 10**7, **SESSION), Client([b"x"], is_whole=False))
        assert (refused.status, refused.asked_for_body, refused.headers["connection"]) == (403, 0, "close")
        page.willing = "200 OK"
        content = b"y" * 10**7
        taken = await ask(front, post(UPLOAD, 10**7, **SESSION), Client([content]))
        assert taken.status == 200

    run(page, tmp_path, test)
    assert [(method, len(content)) for method, _, content in page.asked] == [("GET", 0), ("GET", 0), ("POST", 10**7)]


@pytest.mark.parametrize("length", [500, None])
def test_a_client_that_leaves_before_its_body_is_whole_changes_nothing(
    page: Page, tmp_path: Path, length: int | None
) -> None:
    async def test(front: FrontServer) -> None:
        client = await ask(front, post(LOGIN, length), Client([b"a=1&"], is_whole=False, leaves=True))
        assert client.status == 0

    run(page, tmp_path, test)
    assert page.asked == []


def test_one_address_sends_a_bounded_number_of_slow_bodies(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SLOW_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "SLOW_PER_ADDRESS", 3)

    async def test(front: FrontServer) -> None:
        slow = [ask(front, post(LOGIN, 50), Client([b"a"], is_whole=False)) for _ in range(5)]
        found = sorted(client.status for client in await asyncio.gather(*slow))
        assert found == [408, 408, 408, 503, 503]
        assert (front.bodies.total, len(front.bodies.slow)) == (0, 0)

    run(page, tmp_path, test, seconds=2)


def test_all_bodies_together_are_bounded(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "TOTAL_BYTES", 100)

    async def test(front: FrontServer) -> None:
        waiting = asyncio.ensure_future(ask(front, post(LOGIN, 90), Client([b"x" * 80], is_whole=False)))
        await until(lambda: front.bodies.total == 80)
        refused = await ask(front, post(LOGIN, 30), Client([b"x" * 30]))
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert (await waiting).status == 408
        assert (await ask(front, post(LOGIN, 30), Client([b"x" * 30]))).status == 200

    run(page, tmp_path, test, seconds=2)


def test_when_every_page_is_busy_a_bounded_number_waits_and_documents_are_answered(page: Page, tmp_path: Path) -> None:
    make_run(tmp_path, time.time_ns() // 1_000_000)
    page.go_on.clear()

    async def test(front: FrontServer) -> None:
        front.api.current.watch()
        busy = [asyncio.ensure_future(ask(front, scope(path="/admin/"))) for _ in range(5)]
        await until(lambda: len(page.asked) == 2)
        refused = await ask(front, scope(path="/admin/"))
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        for path in ("/api/trades", "/api/health", "/metrics", "/api/nothing"):
            assert (await ask(front, scope(path=path))).status == (404 if path == "/api/nothing" else 200)
        page.go_on.set()
        assert [client.status for client in await asyncio.gather(*busy)] == [200] * 5

    run(page, tmp_path, test, threads=2, queue=3)


def test_who_leaves_while_waiting_for_a_thread_is_not_served_any_more(page: Page, tmp_path: Path) -> None:
    page.go_on.clear()

    async def test(front: FrontServer) -> None:
        first = asyncio.ensure_future(ask(front, scope(path="/first")))
        await until(lambda: len(page.asked) == 1)
        leaving = Client()
        second = asyncio.ensure_future(ask(front, scope(path="/second"), leaving))
        await asyncio.sleep(0.02)
        leaving.gone.set()
        await second
        page.go_on.set()
        assert (await first).status == 200
        assert (await ask(front, scope(path="/third"))).status == 200

    run(page, tmp_path, test, threads=1)
    assert [path for _, path, _ in page.asked] == ["/first", "/third"]


@given(sizes=st.lists(st.integers(0, MEMORY_BYTES), max_size=8))
def test_whatever_is_streamed_arrives_whole_and_in_order(tmp_path_factory: Any, sizes: list[int]) -> None:
    chunks = [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]

    def streaming(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return iter(chunks)

    async def test(front: FrontServer) -> None:
        client = await ask(front, scope(path="/admin/"))
        assert client.content == b"".join(chunks)
        assert client.is_complete

    run(streaming, tmp_path_factory.getbasetemp(), test)


def test_a_client_that_reads_nothing_holds_no_page(tmp_path: Path) -> None:
    finished = threading.Event()

    def large(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        for _ in range(100):
            yield b"x" * 100_000
        finished.set()

    async def test(front: FrontServer) -> None:
        client = Client(reads=asyncio.Event())
        asking = asyncio.ensure_future(ask(front, scope(path="/admin/"), client))
        await until(finished.is_set)
        assert client.content == b""
        assert client.reads is not None
        client.reads.set()
        await asking
        assert (len(client.content), client.is_complete) == (10_000_000, True)

    run(large, tmp_path, test, threads=1)


def test_a_stream_without_end_ends_when_its_reader_leaves(tmp_path: Path) -> None:
    closed = threading.Event()

    def endless(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"tick\n"
                time.sleep(0.005)
        finally:
            closed.set()

    async def test(front: FrontServer) -> None:
        client = Client()
        asking = asyncio.ensure_future(ask(front, scope(path="/admin/"), client))
        await until(lambda: client.content.count(b"tick") > 3)
        client.gone.set()
        await asking
        await until(closed.is_set)

    run(endless, tmp_path, test)


def test_a_page_that_fails_is_500_and_one_that_fails_on_the_way_is_cut(tmp_path: Path) -> None:
    arrived = threading.Event()

    def failing(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/early":
            raise ValueError("early")
        start_response("200 OK", [])
        yield b"a part"
        arrived.wait(20)
        raise ValueError("late")

    async def test(front: FrontServer) -> None:
        assert (await ask(front, scope(path="/early"))).status == 500
        client = Client()
        asking = asyncio.ensure_future(ask(front, scope(path="/late"), client))
        await until(lambda: client.content == b"a part")
        arrived.set()
        with pytest.raises(ReplyAborted):
            await asking
        assert (client.content, client.is_complete) == (b"a part", False)

    run(failing, tmp_path, test)


def test_the_read_api_answers_the_same_at_once_and_the_long_way(page: Page, tmp_path: Path) -> None:
    make_run(tmp_path, time.time_ns() // 1_000_000)

    async def test(front: FrontServer) -> None:
        for headers in ({}, {"accept_encoding": "gzip"}):
            quick = await ask(front, scope(path="/api/trades", **headers))
            slow = await ask(front, scope(path="/api/trades", query="x=1", **headers))
            assert (quick.status, quick.headers, quick.content) == (slow.status, slow.headers, slow.content)
            tag = {"if_none_match": quick.headers["etag"]}
            known = await ask(front, scope(path="/api/trades", **headers, **tag))
            slow = await ask(front, scope(path="/api/trades", query="x=1", **headers, **tag))
            assert (known.status, known.headers, known.content) == (slow.status, slow.headers, slow.content)
            assert known.status == 304
        for other in (
            scope("HEAD", "/api/trades"),
            scope("POST", "/api/trades", content_length="1000000000"),
            scope(path="/api/trades", host="evil.example"),
            scope(path="/api/trades", if_none_match='"other"'),
        ):
            found = await ask(front, other)
            assert found.status in (200, 400, 405)
            assert found.asked_for_body <= 1

    run(page, tmp_path, test)
    assert page.asked == []
