"""Schemathesis makes requests of the OpenAPI document: no endpoint may fail. Run by `make test-faults`."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings

from tests.engine_client import PREFIX, Engine
from trading.api.application import api

schemathesis = pytest.importorskip("schemathesis")
# It comes with schemathesis.
requests = pytest.importorskip("requests")

# All endpoints together, so that one that is slow takes from nobody but itself.
MOST_SECONDS = 150
# As it is served: in Python its texts are translatable ones, which no reader of JSON meets.
DOCUMENT: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=PREFIX)))
ENDPOINTS = sum(len(methods) for methods in DOCUMENT["paths"].values())

schema = schemathesis.openapi.from_dict(DOCUMENT)

pytestmark = [pytest.mark.faults, pytest.mark.django_db]


@pytest.fixture
def caller(engine: Engine) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {engine.token}"})


@pytest.fixture
def until() -> float:
    return time.monotonic() + MOST_SECONDS / ENDPOINTS


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_of_the_document_makes_an_endpoint_fail(case: Any, caller: Client, until: float) -> None:
    if time.monotonic() > until:
        return
    # What exists is met too; what waits for changes must not.
    case.path_parameters = {
        **(case.path_parameters or {}),
        **{name: "steady_long" for name in ("trader_id", "config_id") if name in (case.path_parameters or {})},
    }
    if case.query and "wait" in case.query:
        del case.query["wait"]
    asked: Any = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    path, _, query = str(asked.path_url).partition("?")
    with transaction.atomic():
        answer = caller.generic(
            asked.method, path, asked.body or b"", asked.headers.get("Content-Type", ""), QUERY_STRING=query
        )
        transaction.set_rollback(True)
    assert answer.status_code < 500, (case.method, case.path, case.body, answer.content[:500])
