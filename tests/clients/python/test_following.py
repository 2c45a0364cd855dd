"""The Python client's streams, against a server that sends them in every way; the site's own are in tests/platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from clients.python.nof0_control import Client, ControlLoop, Obeyed

Pieces = Callable[[], Iterator[bytes]]
CHANGE = {"kind": "config", "config_id": "steady_long", "version": 2}
TEXT = "a line\u2028of its own, and \x85 another"


class Streams(httpx.BaseTransport):
    """Answers each request by the next of these."""

    def __init__(self, *answers: Callable[[], httpx.Response]) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, str]]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.params["after"], request.headers["Accept"].split(",")[0]))
        return self.answers.pop(0)()


def body(cursor: int, *changes: Any, wanted: Any = ()) -> bytes:
    answer = {"cursor": str(cursor), "more": False, "changes": list(changes), "wanted": dict(wanted)}
    return json.dumps(answer, ensure_ascii=False).encode()


def event(cursor: int, *changes: Any, wanted: Any = ()) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (cursor, body(cursor, *changes, wanted=wanted))


class _Sent(httpx.SyncByteStream):
    def __init__(self, pieces: tuple[bytes, ...], fault: Exception | None) -> None:
        self._pieces, self._fault = pieces, fault

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._fault is not None:
            raise self._fault


def sending(*pieces: bytes, then: Exception | None = None) -> Callable[[], httpx.Response]:
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    return lambda: httpx.Response(200, headers=headers, stream=_Sent(pieces, then))


def answering(content: bytes, **headers: str) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, headers={"Content-Type": "application/json", **headers}, content=content)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client_of(pauses: list[float]) -> Callable[..., Client]:
    return lambda transport: Client("http://site", "nof0_x", transport=transport, sleep=pauses.append)


def cursors(client: Client, count: int) -> list[str]:
    following = client.stream_or_changes("1", wait_seconds=5)
    return [next(following)["cursor"] for _ in range(count)]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_events_arrive_whole_in_whatever_pieces(client_of: Callable[..., Client], size: int) -> None:
    sent = event(1) + b": nothing new\n\n" + event(2, {**CHANGE, "reason": TEXT}) + event(3)
    edges = [*range(0, len(sent), size), len(sent)]
    client = client_of(Streams(sending(*(sent[one:other] for one, other in pairwise(edges)))))

    found = list(client.stream("1"))

    assert [one["cursor"] for one in found] == ["1", "2", "3"]
    assert found[1]["changes"] == [{**CHANGE, "reason": TEXT}]


@pytest.mark.parametrize("end", [None, httpx.ReadError("reset"), httpx.ReadTimeout("silent")])
def test_a_stream_that_ends_or_breaks_is_continued_from_its_last_event(
    client_of: Callable[..., Client], end: Exception | None
) -> None:
    streams = Streams(sending(event(1), event(2)[:-1], then=end), sending(event(2), event(3), then=end))

    assert cursors(client_of(streams), 3) == ["1", "2", "3"]
    assert streams.asked == [("1", "text/event-stream")] * 2


def test_a_server_without_streams_is_asked_with_waiting_requests(
    client_of: Callable[..., Client], pauses: list[float]
) -> None:
    answers = [answering(body(1), **{"Retry-After": "2"}), answering(body(2, CHANGE)), answering(body(2))]

    assert cursors(client_of(Streams(*answers)), 3) == ["1", "2", "2"]
    assert pauses == [2.0]


def test_where_a_proxy_holds_events_back_it_goes_on_with_waiting_requests(client_of: Callable[..., Client]) -> None:
    streams = Streams(sending(then=httpx.ReadTimeout("silent")), answering(body(2, CHANGE)), answering(body(3)))

    assert cursors(client_of(streams), 2) == ["2", "3"]
    assert streams.asked == [("1", "text/event-stream"), ("1", "*/*"), ("2", "*/*")]


def test_a_stream_takes_entries_away_and_grants_none(client_of: Callable[..., Client]) -> None:
    """An event may have been long on its way."""
    desired = {"state": "running", "closes": []}
    allowed = {"steady_long": {"desired": desired, "version": 1, "entries_allowed_for_s": 30}}
    banned = {
        "steady_long": {"desired": {**desired, "state": "entries_banned"}, "version": 1, "entries_allowed_for_s": 0}
    }
    client = client_of(Streams(sending(event(1, wanted=allowed), event(2, wanted=banned), event(3, wanted=allowed))))
    loop = ControlLoop(
        client, ["steady_long"], obey=lambda _c, _t: Obeyed(), apply=lambda _config: None, clock=lambda: 0.0
    )
    found = []
    for _number, _cursor in zip(range(3), loop.follow("1"), strict=False):
        state = loop.desired("steady_long")
        assert state is not None
        found.append((state["state"], loop.may_open("steady_long")))
        if len(found) == 1:
            loop._renew(allowed, asked_at=0.0)  # type: ignore[arg-type]
            assert loop.may_open("steady_long")

    assert found == [("running", False), ("entries_banned", False), ("running", False)]
