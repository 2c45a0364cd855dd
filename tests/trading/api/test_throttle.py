"""A token that asks too often waits; what happened to positions and equity never does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine_client import PREFIX, Engine
from tests.engine_fixtures import EngineWith
from traders.api import auth
from traders.schema.tokens import Scope
from traders.tokens.throttle import Throttle
from trading.api.application import api

RATE = 2
NEVER = [
    ("POST", "/traders/steady_long/heartbeat"),
    ("POST", "/heartbeats"),
    ("POST", "/traders/steady_long/positions/close"),
    ("POST", "/traders/steady_long/positions/BTC/reduce"),
    ("POST", "/traders/steady_long/positions/BTC/increase"),
    ("POST", "/traders/steady_long/positions/BTC/plan"),
    ("PUT", "/traders/steady_long/trades"),
    ("PUT", "/traders/steady_long/equity"),
    ("PUT", "/traders/steady_long/transfers"),
    ("POST", "/traders/steady_long/reconcile"),
    ("POST", "/traders/steady_long/controls"),
    ("POST", "/traders/steady_long/controls/1/ack"),
    ("POST", "/fleet/controls"),
]


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[float]:
    """The time in seconds, moved by the test."""
    now = [1000.0]
    settings.TOKEN_REQUESTS_PER_SECOND = RATE
    monkeypatch.setattr(auth, "throttle", Throttle(lambda: now[0]))
    return now


def test_the_request_above_the_rate_is_told_when_to_come_again(engine: Engine, still_clock: list[float]) -> None:
    assert [engine.get("/token").status for _ in range(RATE + 1)] == [200, 200, 429]
    refused = engine.get("/configs")
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.body["error"] == "Too Many Requests"
    assert "more than 2 requests a second" in refused.body["detail"]

    still_clock[0] += 1
    assert engine.get("/token").status == 200


@pytest.mark.parametrize(("method", "path"), NEVER)
def test_what_an_engine_writes_in_a_crash_is_never_throttled(engine: Engine, method: str, path: str) -> None:
    for _ in range(RATE + 1):
        engine.get("/token")
    assert [engine.send(method, path, {}).status for _ in range(5 * RATE)] == [
        200 if path.endswith("/heartbeat") else 422
    ] * 10
    assert engine.get("/token").status == 429


def test_one_token_does_not_use_up_the_requests_of_another(engine: Engine, engine_with: EngineWith) -> None:
    other = engine_with(Scope.READ_CONFIG, name="other")
    for _ in range(RATE + 1):
        engine.get("/token")
    assert other.get("/token").status == 200


def test_a_refused_write_writes_nothing(engine: Engine) -> None:
    for _ in range(RATE):
        engine.get("/token")
    edit = {"expected_version": 1, "reason": "calmer", "set": {"detail.risk.max_positions": 2}}
    assert engine.patch("/configs/steady_long", edit).status == 429


def test_no_rate_is_no_limit(engine: Engine, settings: Any) -> None:
    settings.TOKEN_REQUESTS_PER_SECOND = 0
    assert {engine.get("/token").status for _ in range(10)} == {200}


def test_the_description_says_which_endpoints_may_answer_so() -> None:
    never = {
        (
            method.upper(),
            path.removeprefix(PREFIX)
            .replace("{trader_id}", "steady_long")
            .replace("{symbol}", "BTC")
            .replace("{control_id}", "1"),
        )
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method, operation in methods.items()
        if 429 not in operation["responses"]
    }
    assert never == set(NEVER)
