"""Clients that wait for changes on the event loop: what they are told, when, and how their waiting ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from nof0site.serving.changes import room, server
from nof0site.serving.front import FrontServer
from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, engine, engine_with
from tests.factories import make_trader, save_edit, sync_traders
from tests.platform.waiting import (
    PATIENCE_SECONDS,
    WaitingRequest,
    all_wait,
    in_thread,
    room_of,
    run_waiting,
    stream,
    waiting_in,
)
from traders.api import auth
from traders.api.changes import waiting
from traders.controls import services as controls
from traders.schema.controls.rows import ControlKind
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.tokens.throttle import Throttle

__all__ = ["engine", "engine_with"]

pytestmark = pytest.mark.django_db(transaction=True)

BEGINNING = [("@manager", 1), ("steady_long", 1), ("swift_short", 1)]


def cursor_of(engine: Engine) -> str:
    return str(engine.get("/configs").body["cursor"])


def fleet_stop() -> None:
    controls.fleet_control(kind=ControlKind.STOP, reason="emergency", close_all=False, actor="ann")


def test_who_waits_is_told_the_same_as_who_asks_later(engine: Engine, engine_with: EngineWith, tmp_path: Path) -> None:
    cursor = cursor_of(engine)
    limited = engine_with(Scope.READ_CONFIG, name="limited", traders=["steady_long"])
    queries = ["", "config_id=steady_long", "config_id=swift_short&config_id=steady_long", "limit=1"]
    asked = [(engine, f"after={cursor}&{query}") for query in queries] + [(limited, f"after={cursor}")]

    async def test(front: FrontServer) -> None:
        others = WaitingRequest(front, engine, f"after={cursor}&wait=30&config_id=swift_short")
        polls = [WaitingRequest(front, one, f"{query}&wait=30") for one, query in asked]
        streams = [stream(front, one, query) for one, query in asked]
        await all_wait(front, 11)
        await in_thread(save_edit, "steady_long", detail__risk__max_positions=5)
        answers = [(await poll.whole()).body for poll in polls]
        events = []
        for one in streams:
            await one.until(lambda one: len(one.events) == 2)
            events.append(one.events[1])
        assert not others.task.done()
        later = [await in_thread(one.get, f"/changes?{query}") for one, query in asked]
        assert answers == [reply.body for reply in later]
        for (event_id, data), reply in zip(events, later, strict=True):
            assert event_id == reply.body["cursor"]
            data.pop("server_time_ms")
            assert data == reply.body
        for one in [others, *streams]:
            await one.leave()

    run_waiting(tmp_path, test)


def test_a_stop_of_the_fleet_is_told_to_all_with_what_is_wanted_of_their_traders(
    engine: Engine, engine_with: EngineWith, tmp_path: Path
) -> None:
    cursor = cursor_of(engine)
    limited = engine_with(Scope.READ_CONFIG, name="limited", traders=["swift_short"])

    async def test(front: FrontServer) -> None:
        both = [WaitingRequest(front, one, f"after={cursor}&wait=30") for one in (engine, limited)]
        await all_wait(front, 2)
        await in_thread(fleet_stop)
        everyone, one = [(await poll.whole()).body for poll in both]
        assert [change["control"] for change in everyone["changes"] + one["changes"]] == ["stop", "stop"]
        assert sorted(everyone["wanted"]) == ["steady_long", "swift_short"]
        assert list(one["wanted"]) == ["swift_short"]
        assert one["wanted"]["swift_short"]["entries_allowed_for_s"] == 0

    run_waiting(tmp_path, test)


def test_where_no_announcement_comes_through_the_change_is_told_all_the_same(engine: Engine, tmp_path: Path) -> None:
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        poll = WaitingRequest(front, engine, f"after={cursor}&wait=30")
        await all_wait(front, 1)
        await in_thread(save_edit, "steady_long", detail__risk__max_positions=5)
        assert [change["version"] for change in (await poll.whole()).body["changes"]] == [2]

    run_waiting(tmp_path, test, hears=False)


def test_when_the_time_is_up_the_answer_has_no_changes_and_what_is_wanted(engine: Engine, tmp_path: Path) -> None:
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        one = await WaitingRequest(front, engine, f"after={cursor}&wait=0.3&config_id=steady_long").whole()
        ordinary = await in_thread(engine.get, f"/changes?after={cursor}&config_id=steady_long")
        assert one.body == ordinary.body
        assert one.body["changes"] == []
        assert waiting_in(front) == 0

    run_waiting(tmp_path, test)


def test_a_stream_brings_every_version_in_order_however_small_its_events_and_goes_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Read in more than one piece.
    monkeypatch.setattr(waiting, "MOST_READ", 2)
    sync_traders(*(make_trader(f"more_{n}", allocation_pct=Decimal(1)) for n in range(5)))
    added = [(f"more_{n}", 1) for n in range(5)]

    async def test(front: FrontServer) -> None:
        whole, small = stream(front, engine, "after=0"), stream(front, engine, "after=0&limit=1")
        named = stream(front, engine, "after=0&limit=1&config_id=more_1&config_id=more_4")
        for one, expected in ((whole, BEGINNING + added), (small, BEGINNING + added), (named, [added[1], added[4]])):
            await one.has_seen(expected)
        await in_thread(save_edit, "more_1", allocation_pct=Decimal(2))
        for one in (whole, small, named):
            await one.until(lambda one: one.seen[-1] == ("more_1", 2))
        resumed = stream(front, engine, "after=0", last_event_id=small.events[3][0])
        await resumed.until(lambda one: len(one.seen) == 5)
        assert resumed.seen == [*added[1:], ("more_1", 2)]
        assert whole.client.headers["content-type"] == "text/event-stream; charset=utf-8"
        for one in (whole, small, named, resumed):
            await one.leave()

    run_waiting(tmp_path, test)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_what_is_refused_is_refused_at_once_as_ever(
    engine: Engine, engine_with: EngineWith, tmp_path: Path, accept: str
) -> None:
    limited = engine_with(Scope.READ_CONFIG, name="limited", traders=["steady_long"])
    unable = engine_with(Scope.WRITE_STATE, name="unable")
    refused = [
        (engine, "after=999999999", 409),
        (engine, "after=x", 422),
        (engine, "config_id=nobody", 404),
        (limited, "config_id=swift_short", 404),
        (unable, "", 403),
        (Engine("nof0_" + "a" * 43), "", 401),
    ]

    async def test(front: FrontServer) -> None:
        for one, query, status in refused:
            answer = await WaitingRequest(front, one, f"{query}&wait=50", accept=accept).whole()
            assert (answer.client.status, answer.body["error"] != "") == (status, True)
            assert answer.client.headers["content-type"].startswith("application/json")

    run_waiting(tmp_path, test)


def test_waiting_counts_as_one_request(
    engine: Engine, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bucket is filled by its clock, which a slow machine would let run.
    monkeypatch.setattr(auth, "throttle", Throttle(lambda: 0.0))
    settings.TOKEN_REQUESTS_PER_SECOND = 3
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        polls = [WaitingRequest(front, engine, f"after={cursor}&wait=0.2") for _ in range(4)]
        statuses = sorted([(await poll.whole()).client.status for poll in polls])
        assert statuses == [200, 200, 429, 429]

    run_waiting(tmp_path, test)


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_with_its_token_the_waiting_ends(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    cursor = cursor_of(engine)
    monkeypatch.setattr(room, "RECHECK_SECONDS", 0.05)
    token, text = tokens.create(name="short", scopes=[Scope.READ_CONFIG], actor="ann")

    def expire() -> None:
        """As time does. The database refuses to change a token otherwise."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE api_tokens DISABLE TRIGGER USER")
            cursor.execute(
                "UPDATE api_tokens SET created_at = now() - interval '1 day', expires_at = now() WHERE id = %s",
                [token.id],
            )
            cursor.execute("ALTER TABLE api_tokens ENABLE TRIGGER USER")

    async def test(front: FrontServer) -> None:
        poll = WaitingRequest(front, Engine(text), f"after={cursor}&wait=50")
        one = stream(front, Engine(text), f"after={cursor}")
        other = stream(front, engine, f"after={cursor}")
        await all_wait(front, 3)
        if end == "revoked":
            await in_thread(tokens.revoke, token_id=token.id, actor="ann")
        else:
            await in_thread(expire)
        assert (await poll.whole()).client.status == 401
        await one.whole()
        assert (one.client.is_complete, len(one.events)) == (True, 1)
        assert not other.task.done()
        await other.leave()

    run_waiting(tmp_path, test)


def test_while_the_database_is_away_all_wait_on_and_are_told_afterwards(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = cursor_of(engine)
    monkeypatch.setattr(room, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(server, "HEARTBEAT_SECONDS", 0.05)
    look, is_away = waiting.look, True

    def failing(clients: Sequence[Any]) -> Any:
        if is_away:
            raise OperationalError("the server closed the connection")
        return look(clients)

    monkeypatch.setattr(room, "look", failing)

    async def test(front: FrontServer) -> None:
        nonlocal is_away
        due = WaitingRequest(front, engine, f"after={cursor}&wait=50")
        await all_wait(front, 1)
        [first] = room_of(front)._waiting
        poll, one = WaitingRequest(front, engine, f"after={cursor}&wait=50"), stream(front, engine, f"after={cursor}")
        await all_wait(front, 3)
        await in_thread(save_edit, "steady_long", detail__risk__max_positions=5)
        room_of(front)._make_due(first)
        await one.until(lambda one: server.AWAY in one.client.content)
        # Its time was up. It is asked again, as it would be refused while the endpoint cannot read either.
        assert [change["version"] for change in (await due.whole()).body["changes"]] == [2]
        assert not poll.task.done()
        is_away = False
        assert [change["version"] for change in (await poll.whole()).body["changes"]] == [2]
        await one.until(lambda one: one.seen == [("steady_long", 2)])
        await one.until(lambda one: one.client.content.endswith(server.HEARTBEAT))
        await one.leave()

    run_waiting(tmp_path, test)


def test_a_cursor_that_became_one_of_another_history_is_refused(engine: Engine, tmp_path: Path) -> None:
    """As when a backup is restored under a running site."""
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        poll, one = WaitingRequest(front, engine, f"after={cursor}&wait=50"), stream(front, engine, f"after={cursor}")
        await all_wait(front, 2)
        for client in room_of(front)._waiting:
            client.cursor = type(client.cursor)(10_000)
        await one.whole()
        assert one.client.is_complete
        assert (await poll.whole()).client.status == 200  # asked again with its own cursor

    run_waiting(tmp_path, test)


def test_who_leaves_is_forgotten_and_nobody_looks_when_nobody_waits(engine: Engine, tmp_path: Path) -> None:
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        requests = [WaitingRequest(front, engine, f"after={cursor}&wait=50"), stream(front, engine, f"after={cursor}")]
        await all_wait(front, 2)
        for one in requests:
            await one.leave()
        assert waiting_in(front) == 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while room_of(front)._looking is not None:
                await asyncio.sleep(0.01)

    run_waiting(tmp_path, test)


def test_at_the_end_of_the_server_all_are_answered_and_nobody_waits_again(engine: Engine, tmp_path: Path) -> None:
    cursor = cursor_of(engine)

    async def test(front: FrontServer) -> None:
        requests = [WaitingRequest(front, engine, f"after={cursor}&wait=50"), stream(front, engine, f"after={cursor}")]
        await all_wait(front, 2)
        await asyncio.to_thread(front.end_waiting)
        requests += [WaitingRequest(front, engine, f"after={cursor}&wait=50"), stream(front, engine, f"after={cursor}")]
        for one in requests:
            await one.whole()
            assert (one.client.status, one.client.is_complete) == (200, True)

    run_waiting(tmp_path, test)
