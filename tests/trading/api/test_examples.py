"""The examples of the description are requests that the server accepts as they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from tests.engine_client import PREFIX, Engine
from tests.factories import make_trader, save_edit, sync_traders
from traders.models import TraderControl
from traders.prompt_texts import writer as prompts
from traders.schema.messages import _
from traders.schema.prompts import read_prompt
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import raise_alarm
from trading.api.application import api
from trading.models import Alarm

DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix=PREFIX)
# An example of these goes on from what another one wrote.
AFTER = {
    **dict.fromkeys(("close_position", "reduce_position", "increase_position", "change_plan"), "put_position"),
    "correct_trade": "record_trade",
    "correct_position": "put_position",
    "correct_decision": "add_decision",
    "correct_equity": "record_equity",
    "acknowledge_control": "ask_trader",
}
# The trader of an example, where it is not the one that stands at version 1.
CONFIGS = {"replace_config": "eth_swing"}


def request_of(operation_id: str) -> tuple[str, str, Any]:
    """(method, path, body) of the example, sent for `steady_long`."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] == operation_id:
                address = path.removeprefix(PREFIX).replace("{trader_id}", "steady_long")
                address = address.replace("{config_id}", CONFIGS.get(operation_id, "steady_long"))
                address = address.replace("{symbol}", "BTC")
                if "{control_id}" in address:
                    address = address.replace("{control_id}", str(TraderControl.objects.latest("id").pk))
                if "{alarm_id}" in address:
                    address = address.replace("{alarm_id}", str(Alarm.objects.latest("id").pk))
                return method.upper(), address, operation["requestBody"]["content"]["application/json"]["example"]
    raise KeyError(operation_id)


def keep_shipped_prompts() -> None:
    """The texts of etc/, as the first sync of a site stores them."""
    etc = settings.BASE_DIR / "etc"
    files = sorted((etc / "prompts").rglob("*.tmpl"))
    prompts.keep([read_prompt(str(file.relative_to(etc)), file.read_bytes()) for file in files])


WITH_BODY = [
    operation["operationId"]
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
    if "requestBody" in operation
]


@pytest.mark.parametrize("operation_id", WITH_BODY)
def test_each_example_is_accepted(engine: Engine, operation_id: str) -> None:
    if operation_id == "restore_version":
        save_edit("steady_long", detail__risk__max_positions=9)
    if operation_id == "send_heartbeats":
        sync_traders(*(make_trader(name) for name in ("majors_momentum", "range_reversion")))
    if operation_id == "replace_config":
        keep_shipped_prompts()
    if operation_id == "acknowledge_alarm":
        raise_alarm(AlarmName.ENGINE_CLOCK, _("the clock of an engine is ahead"), traders=["steady_long"])
    if needed := AFTER.get(operation_id):
        before = engine.send(*request_of(needed))
    method, address, body = request_of(operation_id)
    if operation_id == "correct_decision":
        body = body | {"id": before.body["id"]}
    reply = engine.send(method, address, body)

    assert reply.status in (200, 201), reply.body
    assert not reply.body.get("refused")


def test_an_address_may_end_in_a_slash(engine: Engine) -> None:
    assert engine.get("/configs/steady_long/").body["config"] == engine.get("/configs/steady_long").body["config"]
    assert engine.post("/traders/steady_long/heartbeat/", {}).status == 200
    assert engine.get("/configs/nobody/").status == 404


def test_a_missing_body_is_answered_with_the_fields_that_are_missing(engine: Engine) -> None:
    reply = engine.send("POST", "/traders/steady_long/decisions", "")

    assert reply.status == 422
    assert [problem["path"] for problem in reply.body["problems"]] == [
        *("body", "key", "config_version", "decided_at", "success", "detail"),
    ]
    assert {problem["message"] for problem in reply.body["problems"]} == {"is missing"}


def test_a_missing_body_without_needed_fields_is_named_too(engine: Engine) -> None:
    reply = engine.send("POST", "/traders/steady_long/heartbeat", "")

    assert (reply.status, reply.body["detail"]) == (422, "body is missing")
    blank = engine.send("POST", "/traders/steady_long/heartbeat", " \n")
    assert (blank.status, blank.body["detail"]) == (400, "The body is missing: it holds white space only.")


def test_the_published_description_is_plain_json(engine: Engine) -> None:
    described = json.loads(json.dumps(engine.get("/openapi.json").body, default=str))

    assert described["servers"][0]["url"] == "/"
    body = described["paths"][f"{PREFIX}/traders/{{trader_id}}/equity"]["put"]["requestBody"]
    assert body["content"]["application/json"]["example"]["points"][0]["equity_usd"] == 10000
