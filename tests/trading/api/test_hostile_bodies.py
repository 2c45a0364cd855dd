"""Odd bodies, ids, queries and headers at every endpoint: refused in words, never a failure of the site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from tests.engine_client import PREFIX, Engine
from tests.platform.hostile import IDS, RAW, TEXTS
from trading.api.application import api

pytestmark = pytest.mark.django_db

OPENAPI: dict[str, Any] = api.get_openapi_schema(path_prefix=PREFIX)
CALLS = [(method.upper(), path) for path, methods in OPENAPI["paths"].items() for method in methods]
WITH_BODY = [call for call in CALLS if call[0] != "GET"]
DEEP = 900
LATER = (datetime.now(UTC) + timedelta(days=30)).isoformat()
# A body that is taken, of every endpoint that takes one.
TAKEN: dict[str, Any] = {
    "PUT /configs/{config_id}": {"expected_version": 1, "reason": "why", "config": {"detail": {"extra": {"a": 1}}}},
    "PATCH /configs/{config_id}": {
        "expected_version": 1,
        "reason": "why",
        "set": {"detail.extra.note": "x", "detail.display_name": "x", "detail.risk.max_positions": 3},
        "unset": ["detail.extra.b"],
    },
    "POST /configs/{config_id}/restore": {"expected_version": 1, "reason": "why", "version": 1, "keep": ["detail"]},
    "PUT /traders/{trader_id}/runtime": {"active_config_version": 1, "is_running": True, "detail": {"extra": {}}},
    "POST /traders/{trader_id}/heartbeat": {"active_config_version": 1, "is_running": True},
    "POST /heartbeats": {"heartbeats": [{"trader_id": "steady_long", "active_config_version": 1, "is_running": True}]},
    "PUT /traders/{trader_id}/cooldowns": {"symbol": "BTC", "cooldown_until": LATER, "detail": {}},
    "POST /traders/{trader_id}/decisions": {
        "key": "k",
        "config_version": 1,
        "decided_at": "2026-01-02T03:04:05Z",
        "success": True,
        "detail": {"decisions": [{"symbol": "BTC", "action": "open_long", "entry_price": 1, "confidence": 80}]},
        "messages": [{"role": "user", "content": "x", "sent_at": "2026-01-02T03:04:05Z"}],
    },
    "PUT /traders/{trader_id}/positions": {
        "symbol": "BTC",
        "side": "long",
        "entry": {"price": 1, "quantity": 1, "time_ms": 1_767_225_600_000},
        "decision_id": 1,
    },
    "POST /traders/{trader_id}/positions/close": {
        "symbol": "BTC",
        "price": 1,
        "closed_at_ns": 1_767_225_600_000_000_000,
        "pnl": {"gross_usd": 1, "net_usd": 1},
        "fills": [],
    },
    **{
        f"POST /traders/{{trader_id}}/positions/{{symbol}}/{kind}": {
            "quantity": 1,
            "price": 1,
            "at_ms": 1_767_225_600_000,
            "order_id": 1,
            "commission": 1,
        }
        for kind in ("reduce", "increase")
    },
    "POST /traders/{trader_id}/positions/{symbol}/plan": {"exit_plan": {"sl_price": 1}, "at_ms": 1_767_225_600_000},
    "PUT /traders/{trader_id}/trades": {"symbol": "BTC", "side": "long", "closed_at_ns": 1, "detail": {}},
    "PUT /traders/{trader_id}/equity": {"points": [{"ts_ms": 1_767_225_600_000, "equity_usd": 10}]},
    "PUT /traders/{trader_id}/transfers": {
        "id": "x",
        "kind": "deposit",
        "amount_usd": 10,
        "ts_ms": 1_767_225_600_000,
        "reason": "why",
        "to_trader_id": "",
    },
    "POST /traders/{trader_id}/reconcile": {
        "positions": [{"symbol": "BTC", "side": "long", "quantity": 1, "entry_price": 1, "mark_price": 1}],
        "orders": [{"symbol": "BTC", "id": "1", "kind": "stop", "side": "long", "quantity": 1, "price": 1}],
        "equity": 10,
        "at_ms": 1_767_225_600_000,
    },
    "POST /traders/{trader_id}/trades/correct": {"id": "x", "set": {"pnl.net": 1}, "reason": "why"},
    "POST /traders/{trader_id}/positions/correct": {"id": "x", "set": {"entry.price": 1}, "reason": "why"},
    "POST /traders/{trader_id}/decisions/correct": {"id": 1, "set": {"success": True}, "reason": "why"},
    "POST /traders/{trader_id}/equity/correct": {"ts_ms": 1_767_225_600_000, "set": {"equity_usd": 1}, "reason": "why"},
    "POST /traders/{trader_id}/controls": {"kind": "pause", "reason": "why", "until": LATER},
    "POST /traders/{trader_id}/controls/{control_id}/ack": {
        "result": "done",
        "note": "x",
        "at": "2026-01-02T03:04:05Z",
    },
    "POST /fleet/controls": {"kind": "stop", "reason": "why", "close_all": False},
    "POST /alarms/{alarm_id}/ack": {"until": LATER},
    "PUT /prices": {"prices": {"BTC": {"price": 1, "as_of_ms": 1_767_225_600_000}}},
}
VALUES = (
    *("null", "true", "[]", "{}", '""', '"x"', "-1", "0", "1.5", "1e400", "1e-400", "1e59", "-1e59", "NaN", "Infinity"),
    *("9" * 19, "9" * 40, "9" * 300, "9" * 5000, "0." + "9" * 5000, '"\\u0000"', '"\\ud800"', '"\\u202e"'),
    *("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, '{"a":' * 25 + "1" + "}" * 25),
    *(
        '{"detail.risk.max_positions.x": 1}',
        '{"detail": 1}',
        '{"' + "a." * 3000 + 'a": 1}',
        '{"detail.risk": {"a.b": []}}',
    ),
    *('{"a": 1, "a": 2}', '{"\\u0000": 1}', '{"\\ud800": 1}', '{"": 1}', '{"a.b": 1}', json.dumps("x" * 200_000)),
    *('"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"2026-01-01"', "1e18", "253402300800000"),
)
BODIES = (
    *(b"", b" ", b"\xff", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"{", b"[", b"[" * 100_000, b'{"a":' * DEEP),
    *(b"[]", b"1", b'"x"', b"null", b"NaN", b"\0", b'{"a": 1, "a": 2}', b"<x/>", b"a=b", b"{}" * 2),
)
MARK = "\x02"


@pytest.fixture
def caller(engine: Engine) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {engine.token}"})


def address(path: str) -> str:
    for name, value in (
        ("config_id", "steady_long"),
        ("trader_id", "steady_long"),
        ("symbol", "BTC"),
        ("version", "1"),
    ):
        path = path.replace(f"{{{name}}}", value)
    return path.replace("{sha256}", "0" * 64)


def parameters_of(method: str, path: str) -> list[str]:
    """The parameters that the endpoint reads from its query."""
    declared = OPENAPI["paths"][path][method.lower()].get("parameters", [])
    return [one["name"] for one in declared if one["in"] == "query"]


def send(caller: Client, method: str, path: str, body: str | bytes = b"", **more: Any) -> Any:
    """In a transaction that is rolled back."""
    more.setdefault("content_type", "application/json")
    with transaction.atomic():
        answer = caller.generic(method, path, body, **more)
        transaction.set_rollback(True)
    return answer


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def with_value(value: Any, path: tuple[Any, ...], text: str) -> str:
    """The body with JSON text in the place of what is there."""

    def marked(node: Any, left: tuple[Any, ...]) -> Any:
        if not left:
            return MARK
        if isinstance(node, dict):
            return {key: marked(item, left[1:]) if key == left[0] else item for key, item in node.items()}
        return [marked(item, left[1:]) if index == left[0] else item for index, item in enumerate(node)]

    return json.dumps(marked(value, path)).replace(json.dumps(MARK), text)


def bad(answer: Any, what: str) -> list[str]:
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    fails = answer.status_code >= 500 or (answer.status_code >= 400 and not is_json)
    # What the database had to refuse belongs to a check before it.
    fails = fails or b"no room for" in answer.content or b"The database refuses" in answer.content
    return [f"{answer.status_code} {what}"] if fails else []


@pytest.mark.faults
@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_odd_values_in_every_place_of_a_body(caller: Client, method: str, path: str) -> None:
    taken, found = TAKEN[f"{method} {path.removeprefix(PREFIX)}"], []
    for place in places(taken):
        for text in VALUES:
            answer = send(caller, method, address(path), with_value(taken, place, text))
            found += bad(answer, f"{place} {text[:60]}")
    assert found == []


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_odd_bodies(caller: Client, method: str, path: str) -> None:
    found = []
    for body in BODIES:
        found += bad(send(caller, method, address(path), body), str(body[:40]))
    whole = json.dumps(TAKEN[f"{method} {path.removeprefix(PREFIX)}"])
    for kind in (
        "",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json; charset=x",
    ):
        found += bad(send(caller, method, address(path), whole, content_type=kind), kind)
    assert found == []


@pytest.mark.faults
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_odd_addresses_and_queries(caller: Client, method: str, path: str) -> None:
    found, whole = [], json.dumps(TAKEN.get(f"{method} {path.removeprefix(PREFIX)}", {}))
    for odd in [*(quote(one, safe="@|") for one in IDS), *RAW[:3]]:
        place = path
        for name in ("config_id", "trader_id", "sha256"):
            place = place.replace(f"{{{name}}}", odd)
        found += bad(send(caller, method, place.replace("{version}", "1"), whole), place[:80])
        found += bad(send(caller, method, address(path.replace("{version}", odd)), whole), f"version {odd[:40]}")
    for name in (*parameters_of(method, path), "x"):
        for odd in [*(quote(text) for text in TEXTS if len(text) < 6000), *RAW]:
            query = f"wait=0&{name}={odd}" if name != "wait" or odd not in ("1.5", "%EF%BC%91") else ""
            found += bad(send(caller, method, address(path), whole, QUERY_STRING=query), query[:80])
    assert found == []


@pytest.mark.faults
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_odd_headers_and_methods(caller: Client, method: str, path: str) -> None:
    found = []
    for other in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "x"):
        answer = send(caller, other, address(path), b"{}")
        found += [other] if answer.status_code >= 500 else []
    for name in ("Authorization", "If-None-Match", "Content-Length", "Accept", "X-Forwarded-For", "Cookie", "Host"):
        for odd in (
            "",
            "\xff",
            "x" * 9000,
            "Bearer",
            "Bearer \0",
            "Bearer " + "é",
            "-1",
            "9" * 5000,
            "=;=",
            "[::1",
            "a b",
        ):
            answer = send(caller, method, address(path), b"{}", headers={name: odd})
            found += [f"{name} {odd[:40]}"] if answer.status_code >= 500 else []
    assert found == []
