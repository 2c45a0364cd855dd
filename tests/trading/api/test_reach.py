"""Tokens that are limited to traders, and the scope of the fleet's settings: no door shows or changes more."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import PREFIX, Engine
from tests.engine_fixtures import EngineWith
from tests.factories import SYSTEM_PROMPT, make_file, make_fleet, make_trader, save_edit, sync_traders
from traders.models import ManagerConfigVersion, TraderConfigVersion
from traders.prompt_texts import writer as prompts
from traders.schema.prompts import read_prompt
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.tokens import Scope
from traders.sync.services import sync
from traders.versions import services as configs
from trading.api.application import api

pytestmark = pytest.mark.usefixtures("engine")

OWN, OTHER = "steady_long", "swift_short"
EQUITY = "detail.manager.total_equity_usd"

OPERATIONS = sorted(
    (method.upper(), path.removeprefix(PREFIX))
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method in methods
)
NAMED = [(method, path) for method, path in OPERATIONS if re.search("{(trader|config)_id}", path)]
# What names no trader in its address, and the test below that says what a limited token sees there.
OTHERS = {
    *(("GET", "/token"), ("GET", "/configs"), ("GET", "/changes"), ("GET", "/prompts/{sha256}")),
    *(("PUT", "/prices"), ("POST", "/heartbeats")),
    # Tested in test_alarms.py of this folder and in tests/traders/api/test_controls.py.
    *(("GET", "/alarms"), ("POST", "/alarms/{alarm_id}/ack"), ("POST", "/fleet/controls")),
}


@pytest.fixture
def limited(engine: Engine, engine_with: EngineWith) -> Engine:
    """All scopes but write-fleet, for one of the two traders."""
    return engine_with(*(set(Scope) - {Scope.WRITE_FLEET}), name="limited", traders=[OWN])


def written() -> tuple[int, int]:
    return TraderConfigVersion.objects.count(), ManagerConfigVersion.objects.count()


def ids(found: Any) -> list[str]:
    return [config["config_id"] for config in found]


def test_every_endpoint_names_a_trader_or_is_tested_here() -> None:
    assert set(OPERATIONS) - set(NAMED) == OTHERS


@pytest.mark.parametrize(("method", "path"), NAMED)
def test_another_trader_does_not_exist_for_a_limited_token(limited: Engine, method: str, path: str) -> None:
    def answer(config_id: str) -> Any:
        return limited.send(method, re.sub("{(trader|config)_id}", config_id, path).replace("{version}", "1"), {})

    other, unknown = answer(OTHER), answer("nobody")
    assert (other.status, unknown.status) == (404, 404)
    assert other.body["detail"] == f"there is no trader {OTHER!r}"
    assert unknown.body["detail"] == "there is no trader 'nobody'"
    assert answer(OWN).status not in (401, 403, 404, 500)


@pytest.mark.parametrize(("method", "path"), NAMED)
def test_the_fleet_does_not_exist_for_a_limited_token(limited: Engine, method: str, path: str) -> None:
    address = re.sub("{(trader|config)_id}", FLEET_ID, path).replace("{version}", "1")
    before = written()
    assert limited.send(method, address, {}).status in (403, 404)
    assert written() == before


def test_lists_leave_out_what_a_limited_token_does_not_see(limited: Engine, engine_with: EngineWith) -> None:
    assert ids(limited.get("/configs").body["configs"]) == [OWN]
    assert ids(limited.get(f"/configs?config_id={OWN}").body["configs"]) == [OWN]
    for hidden in (OTHER, FLEET_ID, "nobody"):
        assert limited.get(f"/configs?config_id={OWN}&config_id={hidden}").status == 404
        assert limited.get(f"/changes?config_id={hidden}").status == 404
    with_fleet = engine_with(Scope.READ_CONFIG, Scope.WRITE_FLEET, name="with-fleet", traders=[OTHER])
    assert ids(with_fleet.get("/configs").body["configs"]) == [OTHER, FLEET_ID]
    assert with_fleet.get(f"/configs/{FLEET_ID}").status == 200


def test_of_a_change_set_that_mixes_traders_a_limited_token_sees_its_own(limited: Engine) -> None:
    start = limited.get("/configs").body["cursor"]
    more: dict[str, Any] = {"detail__risk__max_positions": 9}
    fleet = make_fleet(detail__manager__total_equity_usd=Decimal(30000))
    sync(file=make_file(make_trader(**more), make_trader(OTHER, **more), fleet=fleet), actor="cli")

    changes = limited.get(f"/changes?after={start}").body
    assert ids(changes["changes"]) == [OWN]
    assert changes["cursor"] == limited.get("/configs").body["cursor"]


def test_a_limited_token_waits_for_its_own_traders_only(limited: Engine) -> None:
    start = limited.get("/configs").body["cursor"]
    save_edit(OTHER, detail__risk__max_positions=9)
    assert limited.get(f"/changes?after={start}&wait=0.2").body["changes"] == []


def test_a_limited_token_reads_the_prompts_of_its_traders_in_any_version(limited: Engine, engine: Engine) -> None:
    theirs, unused = (read_prompt(f"prompts/{name}.tmpl", f"{name}\n".encode()) for name in ("theirs", "unused"))
    changed = {
        "detail__prompts__system_template": theirs.path,
        "detail__prompts__system_version": theirs.version,
        "detail__prompts__system_sha256": theirs.sha256,
    }
    sync_file = make_file(make_trader(OWN), make_trader(OTHER, **changed), prompts=(theirs,))
    sync(file=sync_file, actor="cli")
    prompts.keep([unused])

    assert limited.get(f"/prompts/{SYSTEM_PROMPT.sha256}").status == 200
    assert [limited.get(f"/prompts/{text.sha256}").status for text in (theirs, unused)] == [404, 404]
    assert [engine.get(f"/prompts/{text.sha256}").status for text in (theirs, unused)] == [200, 200]


def test_prices_are_shared_so_a_limited_token_writes_none(limited: Engine) -> None:
    reply = limited.put("/prices", {"prices": {"BTC": {"price": 1}}})
    assert reply.status == 403
    assert "limited to traders" in reply.body["detail"]


def test_a_limited_token_beats_for_its_own_traders_only(limited: Engine, engine: Engine) -> None:
    beats = [{"trader_id": name, "active_config_version": 1} for name in (OWN, OTHER, "nobody")]
    reply = limited.post("/heartbeats", {"heartbeats": beats})

    assert [state["trader_id"] for state in reply.body["runtimes"]] == [OWN]
    assert [(one["trader_id"], one["detail"]) for one in reply.body["refused"]] == [
        (OTHER, f"there is no trader {OTHER!r}"),
        ("nobody", "there is no trader 'nobody'"),
    ]
    assert engine.get(f"/traders/{OTHER}/runtime").body["active_config_version"] is None


def test_a_limited_token_is_told_its_traders_and_no_figure_of_the_fleet(limited: Engine, engine: Engine) -> None:
    assert limited.get("/token").body["traders"] == [OWN]
    edit = {"expected_version": 1, "reason": "more", "set": {"allocation_pct": 21}}
    assert limited.patch(f"/configs/{OWN}?dry_run=true", edit).body["allocated_pct"] is None
    assert engine.patch(f"/configs/{OWN}?dry_run=true", edit).body["allocated_pct"] == 41
    refused = limited.patch(f"/configs/{OWN}", edit | {"set": {"allocation_pct": 90}})
    assert refused.status == 422
    assert refused.body["problems"] == [{"path": "allocation_pct", "message": "is more than the fleet has left"}]


def test_a_limited_token_makes_no_trader(limited: Engine) -> None:
    body = {"expected_version": 0, "reason": "new", "config": {}}
    assert [limited.put(f"/configs/{name}", body).status for name in (OTHER, "brand_new", OTHER.upper())] == [404] * 3


def fleet_edits(engine: Engine) -> list[int]:
    save_edit(FLEET_ID, detail__manager__total_equity_usd=Decimal(20000))
    whole = configs.version(FLEET_ID, 1).spec.model_dump(mode="json")
    start: dict[str, Any] = {"expected_version": 2, "reason": "why not"}
    address = f"/configs/{FLEET_ID}"
    return [
        engine.patch(address, start | {"set": {EQUITY: 25000}}).status,
        engine.put(f"{address}?dry_run=true", start | {"config": whole}).status,
        engine.post(f"{address}/restore", start | {"version": 1}).status,
    ]


@pytest.mark.parametrize("traders", [None, [OWN]])
def test_write_config_does_not_change_the_fleets_settings(
    engine: Engine, engine_with: EngineWith, traders: list[str] | None
) -> None:
    writer = engine_with(*(set(Scope) - {Scope.WRITE_FLEET}), name="writer", traders=traders)
    assert fleet_edits(writer) == [403, 403, 403]
    assert configs.existing(FLEET_ID).version == 2
    refused = writer.patch(f"/configs/{FLEET_ID}", {})
    assert refused.body["detail"] == "The token 'writer' lacks the scope write-fleet."


@pytest.mark.parametrize("traders", [None, [OWN]])
def test_write_fleet_changes_the_fleets_settings_and_no_trader(
    engine: Engine, engine_with: EngineWith, traders: list[str] | None
) -> None:
    writer = engine_with(Scope.WRITE_FLEET, name="writer", traders=traders)
    edit = {"expected_version": 1, "reason": "why not", "set": {"detail.risk.max_positions": 4}}
    assert writer.patch(f"/configs/{OWN}", edit).status == 403
    assert fleet_edits(writer)[0] == 200
    assert configs.existing(FLEET_ID).version == 3
    assert configs.existing(FLEET_ID).changed_by == "token:writer"


@pytest.mark.parametrize("scope", Scope)
def test_no_scope_alone_but_write_fleet_changes_the_fleets_settings(engine_with: EngineWith, scope: Scope) -> None:
    edit = {"expected_version": 1, "reason": "why not", "set": {EQUITY: 25000}}
    reply = engine_with(scope, name="one").patch(f"/configs/{FLEET_ID}", edit)
    assert reply.status == (200 if scope is Scope.WRITE_FLEET else 403)


def test_a_trader_made_later_does_not_exist_for_a_limited_token(limited: Engine) -> None:
    sync_traders(make_trader(OWN), make_trader(OTHER), make_trader("later", allocation_pct=Decimal(5)))
    assert limited.get("/configs/later").status == 404
