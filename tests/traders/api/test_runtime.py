"""What an engine reports of a running trader, and what it learns from its heartbeat."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.engine_client import Engine
from tests.factories import save_edit
from tests.traders.controls.asking import ask
from traders.models import TraderRuntimeState
from traders.versions.lifecycle import services as lifecycle

RUNTIME = "/traders/steady_long/runtime"
HEARTBEAT = "/traders/steady_long/heartbeat"
HEARTBEATS = "/heartbeats"
OPENED_MS = 1_767_225_600_000
ANSWERED = {"answered": True}
REPORT: dict[str, Any] = {
    "active_config_version": 1,
    "is_running": True,
    "detail": {
        "decision": {"last_at": "2026-01-02T03:04:05+00:00"},
        "allocation": {"equity_usd": Decimal("1234.5600")},
        "last_error": {"message": "timeout"},
    },
}


def _row() -> TraderRuntimeState:
    return TraderRuntimeState.objects.get(pk="steady_long")


def test_a_report_is_kept_whole_and_digit_for_digit(engine: Engine) -> None:
    reply = engine.put(RUNTIME, REPORT)

    assert reply.status == 200
    assert (_row().active_config_version, _row().is_running) == (1, True)
    assert _row().detail == REPORT["detail"] | ANSWERED
    assert str(_row().detail["allocation"]["equity_usd"]) == "1234.5600"
    assert engine.get(RUNTIME).body == reply.body


def test_a_report_never_touches_what_the_operator_desires(engine: Engine) -> None:
    ask("stop", reason="it loses")
    before = _row().detail

    engine.put(RUNTIME, {"active_config_version": 1, "is_running": False})

    assert _row().detail == before | ANSWERED
    assert (before["desired"]["state"], before["desired"]["reason"]) == ("stopped", "it loses")


def test_a_heartbeat_moves_the_time_and_says_which_version_stands(engine: Engine) -> None:
    engine.put(RUNTIME, REPORT)
    before = _row()
    save_edit("steady_long", allocation_pct=Decimal(5))

    body = engine.post(HEARTBEAT, {}).body

    assert (body["active_config_version"], body["config_version"], body["retired"]) == (1, 2, False)
    assert _row().updated_at > before.updated_at
    assert (_row().detail, _row().is_running) == (before.detail, True)
    engine.post(HEARTBEAT, {"active_config_version": 2})
    assert _row().active_config_version == 2


def test_a_retired_trader_may_not_run_but_may_stop(engine: Engine) -> None:
    engine.put(RUNTIME, REPORT)
    lifecycle.set_retired(trader_ids=["steady_long"], retired=True, seen={"steady_long": 1}, reason="lost", actor="mei")

    running = engine.post(HEARTBEAT, {"is_running": True})

    assert (running.status, running.body["problems"][0]["path"]) == (422, "is_running")
    stopped = engine.post(HEARTBEAT, {"is_running": False})
    assert (stopped.status, stopped.body["is_running"], stopped.body["retired"]) == (200, False, True)


def test_a_retired_trader_runs_on_until_its_last_position_is_closed(engine: Engine) -> None:
    opened = {"symbol": "BTC", "side": "long", "entry": {"price": 1, "quantity": 1, "time_ms": OPENED_MS}}
    assert engine.put("/traders/steady_long/positions", opened).status == 200
    lifecycle.set_retired(trader_ids=["steady_long"], retired=True, seen={"steady_long": 1}, reason="lost", actor="mei")

    running = engine.put(RUNTIME, REPORT)
    beats = {"heartbeats": [{"trader_id": "steady_long", "is_running": True}]}
    assert (running.status, engine.post(HEARTBEATS, beats).body["refused"]) == (200, [])
    assert engine.post(HEARTBEAT, {"is_running": True}).status == 200
    closed = {"symbol": "BTC", "price": 2, "closed_at_ns": (OPENED_MS + 1000) * 1_000_000}
    assert engine.post("/traders/steady_long/positions/close", closed).status == 200
    over = engine.post(HEARTBEAT, {"is_running": True})
    assert (over.status, engine.post(HEARTBEAT, {}).body["desired"]["state"]) == (422, "stopped")


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("PUT", RUNTIME, REPORT | {"active_config_version": 7}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"active_config_version": 0}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"active_config_version": 2**31}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"is_running": "yes"}, "is_running"),
        ("PUT", RUNTIME, REPORT | {"detail": {"last_error": {"message": "x " * 1001}}}, "detail.last_error.message"),
        ("PUT", RUNTIME, REPORT | {"detail": {"desired": {}}}, "detail.desired"),
        ("PUT", RUNTIME, REPORT | {"detail": {"note": "x" * 70_000}}, "detail.extra"),
        ("PUT", RUNTIME, REPORT | {"detail": {"extra": 1}, "note": 1}, "detail.extra"),
        ("POST", HEARTBEAT, {"note": "x" * 70_000}, "extra"),
        (
            "PUT",
            RUNTIME,
            REPORT | {"detail": {"decision": {"last_at": "2026-01-01T00:00:00"}}},
            "detail.decision.last_at",
        ),
        ("POST", HEARTBEAT, {"is_running": True}, "active_config_version"),
        ("POST", HEARTBEAT, {"active_config_version": 7}, "active_config_version"),
        ("POST", HEARTBEAT, {"active_config_version": 2**31}, "active_config_version"),
    ],
)
def test_a_wrong_report_is_refused_at_its_field_and_nothing_is_written(
    engine: Engine, method: str, path: str, body: Any, wrong: str
) -> None:
    reply = engine.send(method, path, body)

    assert (reply.status, [problem["path"] for problem in reply.body["problems"]]) == (422, [wrong])
    assert _row().active_config_version is None


def test_what_a_report_says_beside_the_known_fields_is_kept_by_its_path(engine: Engine) -> None:
    more = {"decision": {"round": 7}, "gpu": {"load": Decimal("0.50")}, "extra": {"own": 1}}

    reply = engine.put(RUNTIME, REPORT | {"detail": REPORT["detail"] | more, "approval_token": "abc"})

    assert reply.status == 200, reply.body
    kept = _row().detail["extra"]
    assert (kept["decision.round"], kept["gpu"], kept["own"]) == (7, {"load": Decimal("0.50")}, 1)
    assert kept["approval_token"].startswith("[redacted")
    assert reply.body["kept"] == ["approval_token", "decision.round", "gpu", "own"]
    assert _row().detail["allocation"] == REPORT["detail"]["allocation"]


def test_what_heartbeats_say_beside_the_known_fields_is_kept(engine: Engine) -> None:
    engine.put(RUNTIME, REPORT)

    assert engine.post(HEARTBEAT, {"cycle": 3}).body["kept"] == ["cycle"]
    engine.post(HEARTBEAT, {})
    assert _row().detail == REPORT["detail"] | {"extra": {"cycle": 3}} | ANSWERED
    several = {"heartbeats": [_beat("steady_long", equity=1, secret="abcdef123"), _beat("swift_short")]}
    body = engine.post(HEARTBEATS, several).body
    assert [one["kept"] for one in body["runtimes"]] == [["equity", "secret"], []]
    assert _row().detail["extra"]["secret"].startswith("[redacted")
    assert body["refused"] == []


def test_an_unknown_trader_is_404(engine: Engine) -> None:
    paths = ("/traders/nobody/runtime", "/traders/nobody/heartbeat")
    replies = [engine.get(paths[0]), engine.put(paths[0], REPORT), engine.post(paths[1], {})]

    assert [reply.status for reply in replies] == [404, 404, 404]


def _beat(trader_id: str, **more: Any) -> dict[str, Any]:
    return {"trader_id": trader_id, **more}


def test_heartbeats_of_many_traders_are_answered_in_their_order(engine: Engine) -> None:
    save_edit("steady_long", allocation_pct=Decimal(5))
    beats = [
        _beat("swift_short", active_config_version=1, is_running=True),
        _beat("steady_long", active_config_version=2),
    ]

    reply = engine.post(HEARTBEATS, {"heartbeats": beats})

    assert reply.status == 200
    assert reply.body["refused"] == []
    assert [
        (state["trader_id"], state["active_config_version"], state["config_version"], state["is_running"])
        for state in reply.body["runtimes"]
    ] == [("swift_short", 1, 1, True), ("steady_long", 2, 2, False)]
    assert engine.get(RUNTIME).body["updated_at"] == reply.body["runtimes"][1]["updated_at"]


def test_a_refused_heartbeat_does_not_stop_the_others(engine: Engine) -> None:
    lifecycle.set_retired(trader_ids=["swift_short"], retired=True, seen={"swift_short": 1}, reason="lost", actor="mei")
    beats = [
        _beat("nobody"),
        _beat("swift_short", active_config_version=2, is_running=True),
        _beat("steady_long", active_config_version=1, is_running=True),
    ]

    body = engine.post(HEARTBEATS, {"heartbeats": beats}).body

    assert [state["trader_id"] for state in body["runtimes"]] == ["steady_long"]
    assert body["refused"] == [
        {"trader_id": "nobody", "detail": "there is no trader 'nobody'"},
        {
            "trader_id": "swift_short",
            "detail": "swift_short: is_running must be false: the trader is retired, and has no open position",
        },
    ]


@pytest.mark.parametrize(
    ("beat", "detail"),
    [
        (
            _beat("steady_long", active_config_version=7),
            "must be a version that the trader has had, from 1 to 1, was 7",
        ),
        (_beat("steady_long", is_running=True), "is missing: a running trader runs some version"),
    ],
)
def test_heartbeats_refuse_what_a_heartbeat_refuses(engine: Engine, beat: dict[str, Any], detail: str) -> None:
    body = engine.post(HEARTBEATS, {"heartbeats": [beat]}).body

    assert body["runtimes"] == []
    assert body["refused"] == [{"trader_id": "steady_long", "detail": f"steady_long: active_config_version {detail}"}]
    assert _row().active_config_version is None
    assert engine.post(HEARTBEAT, {name: beat[name] for name in beat if name != "trader_id"}).status == 422


@pytest.mark.parametrize(
    ("beats", "path"),
    [
        ([], "heartbeats"),
        ([_beat("steady_long"), _beat("steady_long")], "heartbeats.1.trader_id"),
        ([_beat("\u0007")], "heartbeats.0.trader_id"),
        ([_beat("steady_long", note="x" * 70_000)], "heartbeats.0.extra"),
    ],
)
def test_heartbeats_that_cannot_be_read_write_nothing(engine: Engine, beats: list[Any], path: str) -> None:
    before = _row().updated_at
    reply = engine.post(HEARTBEATS, {"heartbeats": beats})

    assert reply.status == 422
    assert [problem["path"] for problem in reply.body["problems"]] == [path]
    assert _row().updated_at == before


def test_heartbeats_of_many_traders_take_two_statements(engine: Engine) -> None:
    beats = {"heartbeats": [_beat("steady_long"), _beat("swift_short")]}
    engine.post(HEARTBEATS, beats)
    with CaptureQueriesContext(connection) as queries:
        engine.post(HEARTBEATS, beats)

    assert len([one for one in queries.captured_queries if "trader_runtime_state" in one["sql"]]) == 2
