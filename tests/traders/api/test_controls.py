"""Controls over the engine API: asked for, delivered in order, acknowledged; and for how long entries are allowed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask, ask_fleet
from traders.controls import queries
from traders.models import TraderControl, TraderControlAck
from traders.schema.tokens import Scope
from traders.versions.lifecycle import services as lifecycle

CONTROLS = "/traders/steady_long/controls"
HEARTBEAT = "/traders/steady_long/heartbeat"
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tool(engine: Engine, engine_with: EngineWith) -> Engine:
    """A token that may ask for every control; the traders are to start by themselves."""
    for trader_id in ("steady_long", "swift_short"):
        save_edit(trader_id, detail__auto_start=True)
    return engine_with(Scope.CONTROL, Scope.READ_CONFIG, Scope.WRITE_STATE, name="tool")


def cursor_of(engine: Engine) -> str:
    return str(engine.get("/configs").body["cursor"])


def test_a_stop_is_written_answered_and_delivered_with_its_reason(tool: Engine) -> None:
    cursor = cursor_of(tool)
    reply = tool.post(CONTROLS, {"kind": "stop", "reason": "it loses"})

    assert reply.status == 200
    (written,) = reply.body["controls"]
    assert (written["is_new"], written["control"]["actor"]) == (True, "token:tool")
    assert (reply.body["desired"]["state"], reply.body["entries_allowed_for_s"]) == ("stopped", 0)
    changes = tool.get(f"/changes?after={cursor}").body
    assert [(item["kind"], item["control"], item["reason"]) for item in changes["changes"]] == [
        ("control", "stop", "it loses")
    ]
    assert changes["wanted"]["steady_long"]["desired"]["state"] == "stopped"
    assert tool.get(f"/changes?after={changes['cursor']}").body["changes"] == []


def test_every_answer_of_a_running_trader_allows_entries_for_so_long(tool: Engine, settings: Any) -> None:
    report = {"active_config_version": 1, "is_running": True}
    answers = [
        tool.put("/traders/steady_long/runtime", report),
        tool.get("/traders/steady_long/runtime"),
        tool.post(HEARTBEAT, {}),
    ]
    for reply in answers:
        assert (reply.body["entries_allowed_for_s"], reply.body["desired"]["state"]) == (30, "running")
        assert (reply.body["version"], reply.server_time_ms is not None) == (2, True)
    settings.ENTRIES_ALLOWED_SECONDS = 45
    assert (
        tool.post("/heartbeats", {"heartbeats": [{"trader_id": "steady_long"}]}).body["runtimes"][0][
            "entries_allowed_for_s"
        ]
        == 45
    )


@pytest.mark.parametrize("kind", ["stop", "drain", "pause"])
def test_under_a_ban_entries_are_allowed_for_0_seconds(tool: Engine, kind: str) -> None:
    ask(kind)
    assert tool.post(HEARTBEAT, {}).body["entries_allowed_for_s"] == 0
    ask("start" if kind != "pause" else "resume")
    assert tool.post(HEARTBEAT, {}).body["entries_allowed_for_s"] == 30


def test_a_fleet_stop_comes_to_every_engine_also_to_limited_ones(tool: Engine, engine_with: EngineWith) -> None:
    limited = engine_with(Scope.READ_CONFIG, name="limited", traders=["swift_short"])
    cursor = cursor_of(tool)
    assert tool.post("/fleet/controls", {"kind": "stop", "reason": "halt"}).status == 200

    found = limited.get(f"/changes?after={cursor}").body
    assert [(item["kind"], item["trader_id"]) for item in found["changes"]] == [("control", None)]
    assert set(found["wanted"]) == {"swift_short"}
    assert found["wanted"]["swift_short"]["entries_allowed_for_s"] == 0


def test_controls_and_versions_come_in_the_order_of_their_commits_however_small_the_pages(tool: Engine) -> None:
    cursor = cursor_of(tool)
    ask("pause", "swift_short")
    save_edit("steady_long", allocation_pct=Decimal(5))
    ask_fleet("stop")
    ask("cooldown", "steady_long", symbol="BTC", until=queries.log()[0].at.replace(year=2090))

    seen, more = [], True
    while more:
        body = tool.get(f"/changes?after={cursor}&limit=1").body
        seen += [(item["kind"], item.get("control"), item["version"]) for item in body["changes"]]
        cursor, more = body["cursor"], body["more"]
    assert seen == [
        ("control", "pause", None),
        ("config", None, 3),
        ("control", "stop", None),
        ("control", "cooldown", None),
    ]


def test_a_token_that_may_only_stop_stops_and_nothing_else(tool: Engine, engine_with: EngineWith) -> None:
    stopper = engine_with(Scope.STOP, name="stopper")
    for kind in ("stop", "drain", "pause"):
        assert stopper.post(CONTROLS, {"kind": kind, "reason": "emergency"}).status == 200
    assert stopper.post("/fleet/controls", {"kind": "stop", "reason": "emergency"}).status == 200
    for body in ({"kind": "start"}, {"kind": "resume"}, {"kind": "close"}, {"kind": "unpin"}):
        reply = stopper.post(CONTROLS, {**body, "reason": "try"})
        assert (reply.status, "lacks the scope control" in reply.body["detail"]) == (403, True)
    assert stopper.post("/fleet/controls", {"kind": "release", "reason": "try"}).status == 403
    assert stopper.post("/fleet/controls", {"kind": "stop", "close_all": True, "reason": "try"}).status == 403


def test_a_limited_token_may_not_stop_the_fleet(tool: Engine, engine_with: EngineWith) -> None:
    limited = engine_with(Scope.CONTROL, name="limited", traders=["steady_long"])
    assert limited.post("/fleet/controls", {"kind": "stop", "reason": "halt"}).status == 403
    assert limited.post("/traders/swift_short/controls", {"kind": "stop", "reason": "halt"}).status == 404


def test_an_engine_of_a_pinned_trader_is_given_the_pinned_version_everywhere(tool: Engine) -> None:
    cursor = cursor_of(tool)
    pinned = tool.post(CONTROLS, {"kind": "pin", "version": 1, "reason": "it was better"})
    assert (pinned.status, pinned.body["version"]) == (200, 1)
    save_edit("steady_long", detail__risk__max_positions=9)

    changes = tool.get(f"/changes?after={cursor}").body["changes"]
    assert [(item["kind"], item["version"]) for item in changes] == [("control", 1), ("config", 1)]
    assert changes[0]["config"]["config"]["detail"]["auto_start"] is False
    config = tool.get("/configs/steady_long")
    assert (config.body["version"], config.body["pinned"], config.headers["ETag"]) == (1, True, '"v1"')
    assert tool.get("/configs/steady_long?newest=true").body["version"] == 3
    assert [item["version"] for item in tool.get("/configs?config_id=steady_long").body["configs"]] == [1]
    beat = tool.post(HEARTBEAT, {}).body
    assert (beat["version"], beat["config_version"]) == (1, 3)

    cursor = cursor_of(tool)
    tool.post(CONTROLS, {"kind": "unpin", "reason": "enough"})
    (unpin,) = tool.get(f"/changes?after={cursor}").body["changes"]
    assert (unpin["control"], unpin["config"]["version"], unpin["config"]["pinned"]) == ("unpin", 3, False)


def test_a_retirement_holds_although_an_older_version_is_pinned(tool: Engine) -> None:
    ask("pin", version=1)
    lifecycle.set_retired(trader_ids=["steady_long"], retired=True, seen={"steady_long": 2}, reason="lost", actor="mei")
    body = tool.get("/configs/steady_long").body
    assert (body["version"], body["config"]["detail"]["retired"]) == (1, True)


def test_an_acknowledgement_is_kept_and_the_last_counts(tool: Engine) -> None:
    (stop,) = tool.post(CONTROLS, {"kind": "stop", "reason": "halt"}).body["controls"]
    ack = f"{CONTROLS}/{stop['control']['control_id']}/ack"
    assert tool.post(ack, {"result": "partial", "note": "one order rests"}).status == 200
    done = {"result": "done", "at": "2026-01-08T10:30:00Z"}
    assert tool.post(ack, done).body["at"] == tool.post(ack, done).body["at"]
    assert [row.result for row in TraderControlAck.objects.order_by("id")] == ["partial", "done"]
    control_id = stop["control"]["control_id"]
    assert queries.newest_acks([control_id])[control_id, "steady_long"].actor == "token:tool"


def test_only_controls_of_the_trader_or_the_fleet_are_acknowledged(tool: Engine) -> None:
    (other,) = ask("stop", "swift_short")
    (fleet,) = ask_fleet("stop")
    assert tool.post(f"{CONTROLS}/{other.control.id}/ack", {"result": "done"}).status == 404
    assert tool.post(f"{CONTROLS}/{fleet.control.id}/ack", {"result": "done"}).status == 200
    assert tool.post(f"{CONTROLS}/999999/ack", {"result": "done"}).status == 404
    assert tool.post(f"{CONTROLS}/{fleet.control.id}/ack", {"result": "maybe"}).status == 422


def test_the_log_lists_what_was_asked_newest_first_a_page_at_a_time(tool: Engine) -> None:
    ask("pause")
    ask_fleet("stop")
    ask("stop", "swift_short")
    first = tool.get(f"{CONTROLS}?limit=1").body
    assert ([row["control"] for row in first["controls"]], first["desired"]["state"]) == (["stop"], "entries_banned")
    second = tool.get(f"{CONTROLS}?limit=1&before={first['next_before']}").body
    assert ([row["control"] for row in second["controls"]], second["next_before"]) == (["pause"], None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"kind": "halt", "reason": "x"}, "kind"),
        ({"kind": "stop"}, "reason"),
        ({"kind": "stop", "reason": ""}, "reason"),
        ({"kind": "pin", "reason": "x"}, "version"),
        ({"kind": "resume", "reason": "x", "cause": "joe"}, "cause"),
        ({"kind": "pause", "reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"kind": "stop", "reason": "x", "force": True}, "force"),
    ],
)
def test_a_wrong_request_is_refused_at_its_field(tool: Engine, body: Any, path: str) -> None:
    reply = tool.post(CONTROLS, body)
    assert (reply.status, [problem["path"] for problem in reply.body["problems"]]) == (422, [path])
    assert TraderControl.objects.count() == 0


def test_an_idempotent_request_is_one_row(tool: Engine) -> None:
    body = {"kind": "pause", "reason": "news", "until": "2090-01-01T00:00:00Z", "once": "8c1f"}
    replies = [tool.post(CONTROLS, body) for _ in range(3)]
    assert [reply.body["controls"][0]["is_new"] for reply in replies] == [True, False, False]


def test_a_cooldown_of_an_engine_does_not_undo_a_persons_clear(tool: Engine) -> None:
    cooldown = {"symbol": "BTC", "cooldown_until": "2090-01-01T00:00:00Z"}
    tool.put("/traders/steady_long/cooldowns", cooldown)
    tool.post(CONTROLS, {"kind": "clear_cooldown", "symbol": "BTC", "reason": "calm again"})
    tool.put("/traders/steady_long/cooldowns", cooldown)
    assert tool.get("/traders/steady_long/cooldowns").body["cooldowns"] == []


def test_a_control_of_a_new_trader_needs_no_report(tool: Engine) -> None:
    sync_traders(make_trader("third", allocation_pct=Decimal(1)))
    assert tool.post("/traders/third/controls", {"kind": "start", "reason": "go"}).body["desired"]["state"] == "running"
