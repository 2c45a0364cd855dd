"""The client's requests of tools, and that every request of the engine API has a method."""

from __future__ import annotations

import hashlib
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from clients.python.nof0_control import Client, Conflict, EquityReport
from tests.clients.python.test_client import Site
from tests.engine_client import PREFIX, Engine
from traders.schema.messages import _
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.api.application import api
from trading.models import EquitySnapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOW_MS = 1_767_225_600_000
DOCUMENT = api.get_openapi_schema(path_prefix=PREFIX)
OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
NO_TEXT = hashlib.sha256(b"").hexdigest()
CALLS: dict[str, Callable[[Client], object]] = {
    "get_token": lambda client: client.token(),
    "list_configs": lambda client: client.configs(),
    "get_config": lambda client: client.config("a"),
    "replace_config": lambda client: client.replace_config("a", {}, expected_version=1, reason="calmer"),
    "change_config": lambda client: client.change_config("a", {}, expected_version=1, reason="calmer"),
    "list_versions": lambda client: client.versions("a"),
    "get_version": lambda client: client.version("a", 1),
    "restore_version": lambda client: client.restore_version("a", 1, expected_version=2, reason="calmer"),
    "list_changes": lambda client: client.changes("1"),
    "get_prompt": lambda client: client.prompt(NO_TEXT),
    "get_runtime": lambda client: client.runtime("a"),
    "report_runtime": lambda client: client.report("a", active_config_version=1, is_running=True),
    "send_heartbeat": lambda client: client.heartbeat("a"),
    "send_heartbeats": lambda client: client.heartbeats([]),
    "list_cooldowns": lambda client: client.cooldowns("a"),
    "set_cooldown": lambda client: client.set_cooldown("a", "BTC", NOW),
    "list_controls": lambda client: client.controls("a"),
    "ask_trader": lambda client: client.ask("a", "stop", reason="calmer"),
    "ask_fleet": lambda client: client.ask_fleet("stop", reason="calmer"),
    "acknowledge_control": lambda client: client.acknowledge("a", 1, "done"),
    "add_decision": lambda client: client.add_decision(
        "a", key="1", config_version=1, decided_at=NOW, success=True, detail={}
    ),
    "reduce_position": lambda client: client.reduce_position("a", "BTC", {"quantity": 1, "price": 1, "at_ms": 1}),
    "increase_position": lambda client: client.increase_position("a", "BTC", {"quantity": 1, "price": 1, "at_ms": 1}),
    "change_plan": lambda client: client.change_plan("a", "BTC", {}, at_ms=1),
    "list_positions": lambda client: client.positions("a"),
    "put_position": lambda client: client.put_position("a", symbol="BTC", side="long", entry={}),
    "close_position": lambda client: client.close_position("a", symbol="BTC", price=1, closed_at_ns=1, pnl={}),
    "record_trade": lambda client: client.record_trade("a", symbol="BTC", side="long", closed_at_ns=1, detail={}),
    "record_equity": lambda client: client.record_equity("a", []),
    "list_transfers": lambda client: client.transfers("a"),
    "record_transfer": lambda client: client.record_transfer(
        "a", id="1", kind="deposit", amount_usd=1, ts_ms=1, reason="more"
    ),
    "correct_trade": lambda client: client.correct_trade("a", id="1", set={}, reason="the statement"),
    "correct_position": lambda client: client.correct_position("a", id="1", set={}, reason="the statement"),
    "correct_decision": lambda client: client.correct_decision("a", id=1, set={}, reason="the statement"),
    "correct_equity": lambda client: client.correct_equity("a", ts_ms=1, set={}, reason="the statement"),
    "reconcile_account": lambda client: client.reconcile("a", []),
    "list_differences": lambda client: client.differences("a"),
    "set_prices": lambda client: client.set_prices({}),
    "list_alarms": lambda client: client.alarms(),
    "acknowledge_alarm": lambda client: client.acknowledge_alarm(1),
}


def test_every_request_of_the_document_has_a_method() -> None:
    assert set(CALLS) == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_method_sends_the_request_of_the_document(operation: str) -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        return httpx.Response(200, json={"cooldowns": [], "positions": [], "transfers": [], "body": ""})

    with Client("https://control.example.com", "t", transport=httpx.MockTransport(answer)) as client:
        CALLS[operation](client)

    method, path = OPERATIONS[operation]
    [(sent_method, sent_path)] = asked
    assert sent_method == method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), sent_path)


@pytest.fixture
def client(engine: Engine) -> Client:
    return Client("https://control.example.com", engine.token, transport=Site(), sleep=lambda _seconds: None)


@pytest.mark.django_db
def test_a_token_says_what_it_may_do(client: Client) -> None:
    found = client.token()
    assert (found["name"], found["actor"], found["traders"]) == ("engine-1", "token:engine-1", None)
    assert "control" in found["scopes"]


@pytest.mark.django_db
def test_a_configuration_is_changed_restored_and_listed(client: Client) -> None:
    change = {"detail.risk.max_positions": 2}
    tried = client.change_config("steady_long", change, expected_version=1, reason="calmer", dry_run=True)
    assert (tried["version"], [one["path"] for one in tried["changes"]]) == (1, ["detail.risk.max_positions"])

    assert client.change_config("steady_long", change, expected_version=1, reason="calmer")["version"] == 2
    with pytest.raises(Conflict):
        client.change_config("steady_long", change, expected_version=1, reason="calmer")
    assert client.restore_version("steady_long", 1, expected_version=2, reason="as before")["version"] == 3

    newest = client.versions("steady_long", limit=2)
    assert [(one["version"], one["reason"]) for one in newest["versions"]] == [(3, "as before"), (2, "calmer")]
    assert [one["version"] for one in client.versions("steady_long", before=2)["versions"]] == [1]


@pytest.mark.django_db
def test_a_configuration_is_replaced_as_a_whole(client: Client) -> None:
    whole = client.config("steady_long")["config"]
    whole["allocation_pct"] = Decimal("4.50")
    effect = client.replace_config("steady_long", whole, expected_version=1, reason="smaller")
    assert [one["path"] for one in effect["changes"]] == ["allocation_pct"]
    assert client.config("steady_long")["config"]["allocation_pct"] == Decimal("4.50")


@pytest.mark.django_db
def test_controls_are_listed_newest_first(client: Client) -> None:
    client.ask("steady_long", "pause", reason="news", until=datetime.now(UTC) + timedelta(hours=1))
    client.ask("steady_long", "drain", reason="the end")

    log = client.controls("steady_long", limit=1)

    assert ([one["control"] for one in log["controls"]], log["desired"]["state"]) == (["drain"], "stopped")
    older = client.controls("steady_long", before=log["next_before"])
    assert [one["control"] for one in older["controls"]] == ["pause"]


@pytest.mark.django_db
def test_equity_is_recorded_with_what_the_exchange_says_of_it(client: Client) -> None:
    told: EquityReport = {
        "ts_ms": NOW_MS,
        "equity_usd": Decimal(10250),
        "realized_pnl": Decimal("190.50"),
        "total_unrealized_pnl": Decimal("60.10"),
    }
    assert client.record_equity("steady_long", [told])["recorded"] == 1

    row = EquitySnapshot.objects.get()
    assert (str(row.realized_pnl_usd), str(row.unrealized_pnl_usd)) == ("190.50", "60.10")


@pytest.mark.django_db
def test_alarms_are_listed_and_acknowledged(client: Client) -> None:
    message = _("%(trader)s lost 120 USD", trader="steady_long")
    first, second = (
        alarms.raise_alarm(AlarmName.GUARD_FIRED, message, subject=subject, traders=["steady_long"])
        for subject in ("1", "2")
    )
    assert first
    assert second

    page = client.alarms(limit=1)
    assert ([one["id"] for one in page["alarms"]], page["next_before"]) == ([second], second)
    assert [one["id"] for one in client.alarms(before=second, state="all")["alarms"]] == [first]

    until = datetime.now(UTC) + timedelta(hours=1)
    known = client.acknowledge_alarm(first, until=until, reason="looks at it")
    assert (known["state"], known["acknowledged_reason"]) == ("acknowledged", "looks at it")
    assert client.acknowledge_alarm(second)["acknowledged_until"] is None


OF_EVERY_ANSWER = "server_time_ms"


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_an_answer_has_the_fields_that_the_client_declares(operation: str) -> None:
    method, path = OPERATIONS[operation]
    answers = DOCUMENT["paths"][path][method.lower()]["responses"]
    content = next(answer.get("content", {}) for code, answer in answers.items() if int(code) < 300)
    declared = typing.get_type_hints(getattr(Client, CALLS[operation].__code__.co_names[0]))["return"]
    schema = content.get("application/json", {}).get("schema", {})
    assert list(_differences(declared, _alone(declared, schema), operation)) == []


def _alone(declared: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a method gives back the only list of its answer, the schema of that list."""
    if typing.get_origin(declared) is not list:
        return schema
    return next(one for one in _whole(schema)["properties"].values() if one.get("type") == "array")


def _whole(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _whole(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    return schema


def _differences(declared: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Fields that one of the two has alone."""
    schema = _whole(schema)
    choices = [_whole(one) for one in schema.get("anyOf") or schema.get("oneOf") or [schema]]
    if typing.get_origin(declared) in (list, dict):
        values = schema.get("items") or schema.get("additionalProperties")
        yield from _differences(typing.get_args(declared)[-1], values if isinstance(values, dict) else {}, f"{where}[]")
    elif typing.is_typeddict(declared):
        hints = typing.get_type_hints(declared)
        parts = [one.get("properties", {}) for one in choices]
        fields = min(parts, key=lambda one: len(hints.keys() ^ one.keys()))
        yield from (f"{where}.{name}" for name in sorted(hints.keys() ^ fields.keys()) if name != OF_EVERY_ANSWER)
        for name in hints.keys() & fields.keys():
            yield from _differences(hints[name], fields[name], f"{where}.{name}")
    else:
        for one in typing.get_args(declared):
            yield from _differences(one, schema, where)
