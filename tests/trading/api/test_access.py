"""Who may do what: tokens and their scopes; and what is said to whom sends nonsense."""

from __future__ import annotations

import logging
import re

import pytest
from django.test import Client

from tests.engine_client import PREFIX, Engine
from tests.engine_fixtures import EngineWith
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.api.application import api

# Which scopes open an endpoint: any of these.
SCOPES: dict[tuple[str, str], set[Scope]] = {
    ("GET", "/token"): set(Scope),
    ("GET", "/configs"): {Scope.READ_CONFIG},
    ("GET", "/configs/{config_id}"): {Scope.READ_CONFIG},
    ("PUT", "/configs/{config_id}"): {Scope.WRITE_CONFIG},
    ("PATCH", "/configs/{config_id}"): {Scope.WRITE_CONFIG},
    ("POST", "/configs/{config_id}/restore"): {Scope.WRITE_CONFIG},
    ("GET", "/configs/{config_id}/versions"): {Scope.READ_CONFIG},
    ("GET", "/configs/{config_id}/versions/{version}"): {Scope.READ_CONFIG},
    ("GET", "/changes"): {Scope.READ_CONFIG},
    ("GET", "/prompts/{sha256}"): {Scope.READ_CONFIG},
    ("GET", "/traders/{trader_id}/runtime"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("GET", "/traders/{trader_id}/cooldowns"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/cooldowns"): {Scope.WRITE_STATE},
    ("GET", "/traders/{trader_id}/positions"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/positions"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/positions/close"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/positions/{symbol}/reduce"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/positions/{symbol}/increase"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/positions/{symbol}/plan"): {Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/trades"): {Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/equity"): {Scope.WRITE_STATE},
    ("GET", "/traders/{trader_id}/transfers"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/transfers"): {Scope.WRITE_STATE},
    ("GET", "/traders/{trader_id}/differences"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/reconcile"): {Scope.WRITE_STATE},
    **{
        ("POST", f"/traders/{{trader_id}}/{kind}/correct"): {Scope.WRITE_CORRECTIONS}
        for kind in ("trades", "positions", "decisions", "equity")
    },
    ("GET", "/traders/{trader_id}/controls"): {Scope.READ_CONFIG, Scope.WRITE_STATE, Scope.CONTROL, Scope.STOP},
    ("POST", "/traders/{trader_id}/controls"): {Scope.CONTROL, Scope.STOP},
    ("POST", "/traders/{trader_id}/controls/{control_id}/ack"): {Scope.WRITE_STATE},
    ("POST", "/fleet/controls"): {Scope.CONTROL, Scope.STOP},
    ("PUT", "/prices"): {Scope.WRITE_STATE},
    ("PUT", "/traders/{trader_id}/runtime"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/heartbeat"): {Scope.WRITE_STATE},
    ("POST", "/heartbeats"): {Scope.WRITE_STATE},
    ("POST", "/traders/{trader_id}/decisions"): {Scope.WRITE_JOURNAL},
    ("GET", "/alarms"): {Scope.READ_CONFIG, Scope.WRITE_STATE},
    ("POST", "/alarms/{alarm_id}/ack"): {Scope.CONTROL},
}


@pytest.mark.parametrize("token", ["", "nof0_" + "x" * 43, "nonsense", "\x00"])
def test_without_a_valid_token_nothing_is_answered(engine: Engine, token: str) -> None:
    reply = Engine(token).get("/configs")

    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="nof0"'
    assert reply.body["error"] == "Unauthorized"


def test_a_revoked_token_stops_at_once(engine: Engine) -> None:
    assert engine.get("/token").status == 200

    tokens.revoke(token_id=tokens.existing()[0].token.id, actor="ann")

    assert engine.get("/token").status == 401


def test_any_token_may_ask_what_it_may_do(engine: Engine, engine_with: EngineWith) -> None:
    assert engine_with(Scope.WRITE_STATE, name="watcher").get("/token").body == {
        "name": "watcher",
        "actor": "token:watcher",
        "scopes": ["write-state"],
        "traders": None,
    }


OPERATIONS = sorted(
    (method.upper(), path.removeprefix(PREFIX))
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method in methods
)


def test_the_table_names_every_endpoint_and_no_other() -> None:
    assert set(OPERATIONS) == set(SCOPES)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_each_endpoint_needs_its_scope(engine: Engine, engine_with: EngineWith, method: str, path: str) -> None:
    scopes = SCOPES[method, path]
    address = re.sub("{[a-z0-9_]+}", "1", path)
    assert Engine("").send(method, address, {}).status == 401
    assert engine_with(min(scopes), name="rightful").send(method, address, {}).status not in (401, 403, 405, 500)
    if others := set(Scope) - scopes:
        lacking = engine_with(*others, name="others").send(method, address, {})
        assert (lacking.status, lacking.body["error"]) == (403, "Forbidden")
        assert min(scopes) in lacking.body["detail"]


def test_the_description_is_open_and_names_every_endpoint(client: Client) -> None:
    described = client.get("/api/v1/openapi.json")

    assert described.status_code == 200
    assert len(described.json()["paths"]) == len({path for _method, path in SCOPES})
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert b"cdn" not in page.content.lower()
    assert b'name="viewport"' in page.content


@pytest.mark.parametrize(
    "text", ["{", '{"a": NaN}', '{"reason": "x", "reason": "y"}', '{"reason": "\\ud800"}', "[" * 100_000]
)
def test_a_body_that_is_no_json_is_refused_in_words(engine: Engine, text: str) -> None:
    reply = engine.send("PATCH", "/configs/steady_long", text)

    assert reply.status == 400
    assert reply.body["error"] == "Bad Request"
    assert "JSON" in reply.body["detail"] or "holds" in reply.body["detail"]


def test_another_method_is_refused_as_json(engine: Engine) -> None:
    reply = engine.send("DELETE", "/configs/steady_long")

    assert (reply.status, reply.body["error"]) == (405, "Method Not Allowed")
    assert "GET" in reply.headers["Allow"]


def test_a_fault_of_ours_is_json_and_in_the_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("traders.versions.services.existing", broken)
    with caplog.at_level(logging.ERROR):
        reply = engine.get("/configs/steady_long")

    assert reply.status == 500
    assert reply.body == {"error": "Internal Server Error", "detail": "The log of the server says more."}
    assert "ZeroDivisionError" in caplog.text
