"""What engines read of configurations: what stands now, any version, any moment, and prompts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine_client import Engine
from tests.factories import SYSTEM_PROMPT, save_edit
from traders.versions import services as configs
from traders.versions.lifecycle import services as lifecycle


def test_an_engine_that_starts_reads_all_configurations_and_where_to_go_on_from(engine: Engine) -> None:
    reply = engine.get("/configs")

    assert reply.status == 200
    assert [config["config_id"] for config in reply.body["configs"]] == ["steady_long", "swift_short", "@manager"]
    assert engine.get(f"/changes?after={reply.body['cursor']}").body["changes"] == []


def test_only_the_configurations_that_are_named_come(engine: Engine) -> None:
    reply = engine.get("/configs?config_id=@manager&config_id=swift_short")

    assert {config["config_id"] for config in reply.body["configs"]} == {"swift_short", "@manager"}


def test_a_retired_trader_comes_when_asked_for(engine: Engine) -> None:
    lifecycle.set_retired(trader_ids=["swift_short"], retired=True, seen={"swift_short": 1}, reason="lost", actor="mei")

    ids = [
        [config["config_id"] for config in engine.get(path).body["configs"]]
        for path in ("/configs", "/configs?retired=true", "/configs?config_id=swift_short")
    ]
    assert ids == [["steady_long", "@manager"], ["steady_long", "swift_short", "@manager"], ["swift_short"]]


def test_a_configuration_comes_whole_and_digit_for_digit(engine: Engine) -> None:
    save_edit("steady_long", detail__risk__min_risk_reward_ratio=Decimal("2.7500"), detail__extra__note={"a": 1})

    body = engine.get("/configs/steady_long").body

    assert body["version"] == 2
    assert (body["changed_by"], body["reason"], body["source"]) == ("mei", "because", "admin")
    assert body["changed_fields"] == ["detail.risk.min_risk_reward_ratio", "detail.extra.note"]
    assert body["config"] == configs.existing("steady_long").spec.model_dump()
    assert str(body["config"]["detail"]["risk"]["min_risk_reward_ratio"]) == "2.7500"


def test_an_unchanged_configuration_is_answered_304(engine: Engine) -> None:
    etag = engine.get("/configs/steady_long").headers["ETag"]

    assert engine.get("/configs/steady_long", **{"If-None-Match": etag}).status == 304
    save_edit("steady_long", allocation_pct=Decimal(5))
    assert engine.get("/configs/steady_long", **{"If-None-Match": etag}).status == 200


def test_any_version_and_any_moment_can_be_read(engine: Engine) -> None:
    save_edit("steady_long", allocation_pct=Decimal(5))
    first = engine.get("/configs/steady_long/versions/1").body

    assert first["config"]["allocation_pct"] == 20
    moment = first["changed_at"]
    assert engine.get(f"/configs/steady_long?at={moment}").body == first
    assert engine.get("/configs/steady_long?at=2001-01-01T00:00:00Z").status == 404


def test_a_moment_without_its_zone_is_refused(engine: Engine) -> None:
    reply = engine.get("/configs/steady_long?at=2026-01-01T00:00:00")

    assert reply.status == 422
    assert reply.body["problems"] == [{"path": "at", "message": "must name its zone, such as 2026-01-08T10:30:00Z"}]


def test_versions_come_in_pages_newest_first(engine: Engine) -> None:
    for pct in (1, 2, 3):
        save_edit("steady_long", allocation_pct=Decimal(pct))

    first = engine.get("/configs/steady_long/versions?limit=3").body
    rest = engine.get(f"/configs/steady_long/versions?limit=3&before={first['next_before']}").body

    assert [version["version"] for version in first["versions"] + rest["versions"]] == [4, 3, 2, 1]
    assert (first["next_before"], rest["next_before"]) == (2, None)
    assert "config" not in first["versions"][0]


def test_the_settings_of_the_fleet_are_a_configuration_too(engine: Engine) -> None:
    body = engine.get("/configs/@manager").body

    assert body["config"]["detail"]["manager"]["reserve_equity_pct"] == 10
    assert engine.get("/configs/@manager/versions/1").body == body


def test_the_text_of_a_prompt_is_found_by_its_digest(engine: Engine) -> None:
    reply = engine.get(f"/prompts/{SYSTEM_PROMPT.sha256}")

    assert reply.body == {
        "sha256": SYSTEM_PROMPT.sha256,
        "path": SYSTEM_PROMPT.path,
        "version": SYSTEM_PROMPT.version,
        "body": SYSTEM_PROMPT.body,
    }
    assert "immutable" in reply.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/configs/nobody", "there is no trader 'nobody'"),
        ("/configs?config_id=nobody", "there is no trader 'nobody'"),
        ("/configs/nobody/versions", "there is no trader 'nobody'"),
        ("/configs/steady_long/versions/9", "steady_long has no version 9"),
        (f"/prompts/{'0' * 64}", "There is nothing at this address."),
    ],
)
def test_what_is_not_there_is_404(engine: Engine, path: str, says: str) -> None:
    reply = engine.get(path)

    assert (reply.status, reply.body) == (404, {"error": "Not Found", "detail": says})
