"""What an engine reports of a running trader, and what it learns from its heartbeat."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import Engine
from tests.factories import save_edit
from traders.models import TraderRuntimeState
from traders.versions.lifecycle import services as lifecycle

RUNTIME = "/traders/steady_long/runtime"
HEARTBEAT = "/traders/steady_long/heartbeat"
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
    assert _row().detail == REPORT["detail"]
    assert str(_row().detail["allocation"]["equity_usd"]) == "1234.5600"
    assert engine.get(RUNTIME).body == reply.body


def test_a_report_never_touches_what_the_operator_desires(engine: Engine) -> None:
    TraderRuntimeState.objects.filter(pk="steady_long").update(
        detail={"desired": {"state": "stop", "reason": None}, "pause": {}}
    )

    engine.put(RUNTIME, {"active_config_version": 1, "is_running": False})

    assert _row().detail == {"desired": {"state": "stop", "reason": None}}


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


@pytest.mark.parametrize(
    ("method", "path", "body", "wrong"),
    [
        ("PUT", RUNTIME, REPORT | {"active_config_version": 7}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"active_config_version": 0}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"active_config_version": 2**31}, "active_config_version"),
        ("PUT", RUNTIME, REPORT | {"is_running": "yes"}, "is_running"),
        ("PUT", RUNTIME, REPORT | {"detail": {"last_error": {"message": "x " * 1001}}}, "detail.last_error.message"),
        ("PUT", RUNTIME, REPORT | {"detail": {"desired": {}}}, "detail.desired"),
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


def test_an_unknown_trader_is_404(engine: Engine) -> None:
    paths = ("/traders/nobody/runtime", "/traders/nobody/heartbeat")
    replies = [engine.get(paths[0]), engine.put(paths[0], REPORT), engine.post(paths[1], {})]

    assert [reply.status for reply in replies] == [404, 404, 404]
