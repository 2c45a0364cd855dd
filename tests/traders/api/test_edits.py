"""Edits by tools: the same rules, the same history and the same conflicts as in the browser."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from tests.at_once import at_once
from tests.engine_client import Engine
from tests.factories import EXECUTOR_PROMPT, make_trader, save_edit, sync_traders
from traders.versions import services as configs

TRADER = "/configs/steady_long"


def _edit(**set_: Any) -> dict[str, Any]:
    paths = {path.replace("__", "."): value for path, value in set_.items()}
    return {"expected_version": 1, "reason": "calmer", "set": paths}


def test_some_settings_are_changed_and_the_token_is_the_author(engine: Engine) -> None:
    reply = engine.patch(TRADER, _edit(detail__risk__max_positions=5))

    assert reply.status == 200
    assert reply.body["version"] == 2
    assert reply.body["changes"] == [
        {"path": "detail.risk.max_positions", "old": 3, "new": 5, "raises_risk": True},
    ]
    saved = configs.existing("steady_long")
    assert (saved.changed_by, saved.reason, saved.source) == ("token:engine-1", "calmer", "api")
    assert saved.flat["detail.risk.max_positions"] == 5
    assert reply.body["change_set"] == saved.change_set


def test_a_whole_configuration_is_replaced(engine: Engine) -> None:
    config = engine.get(TRADER).body["config"]
    config["detail"]["risk"]["max_position_size_usd"] = Decimal("750.50")
    del config["detail"]["risk"]["stop_loss_enabled"]

    reply = engine.put(TRADER, {"expected_version": 1, "reason": "calmer", "config": config})

    assert {change["path"]: change["new"] for change in reply.body["changes"]} == {
        "detail.risk.max_position_size_usd": Decimal("750.50"),
        "detail.risk.stop_loss_enabled": False,
    }


def test_a_trader_is_made(engine: Engine) -> None:
    config = copy.deepcopy(engine.get(TRADER).body["config"])
    config |= {"id": "newcomer", "allocation_pct": 0}

    reply = engine.put("/configs/newcomer", {"expected_version": 0, "reason": "a try", "config": config})

    assert (reply.status, reply.body["version"]) == (201, 1)
    assert configs.existing("newcomer").changed_by == "token:engine-1"
    again = engine.put("/configs/newcomer", {"expected_version": 0, "reason": "a try", "config": config})
    assert again.status == 409


def test_an_older_version_is_restored(engine: Engine) -> None:
    save_edit("steady_long", allocation_pct=Decimal(5), detail__risk__max_positions=9)

    reply = engine.post(
        f"{TRADER}/restore",
        {"version": 1, "expected_version": 2, "reason": "back", "keep": ["allocation_pct"]},
    )

    assert (reply.status, reply.body["version"]) == (200, 3)
    flat = configs.existing("steady_long").flat
    assert (flat["allocation_pct"], flat["detail.risk.max_positions"]) == (5, 3)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(engine: Engine) -> None:
    reply = engine.patch(f"{TRADER}?dry_run=true", _edit(allocation_pct=30))

    assert (reply.body["version"], reply.body["change_set"], reply.body["allocated_pct"]) == (1, None, 50)
    assert [change["path"] for change in reply.body["changes"]] == ["allocation_pct"]
    assert configs.existing("steady_long").version == 1


def test_what_changes_nothing_makes_no_version(engine: Engine) -> None:
    reply = engine.patch(TRADER, _edit(allocation_pct=Decimal("20.0")))

    assert (reply.status, reply.body["version"], reply.body["changes"]) == (200, 1, [])


def test_an_extension_key_is_set_and_removed(engine: Engine) -> None:
    engine.patch(TRADER, _edit(detail__extra__note={"why": [1, None]}))
    assert configs.existing("steady_long").flat["detail.extra.note"] == {"why": [1, None]}

    engine.patch(TRADER, {"expected_version": 2, "reason": "gone", "unset": ["detail.extra.note"]})
    assert "detail.extra.note" not in configs.existing("steady_long").flat


def test_a_stale_edit_of_other_settings_is_refused_with_both_sides_and_the_merge(engine: Engine) -> None:
    save_edit("steady_long", actor="mei", detail__risk__max_positions=7)

    reply = engine.patch(TRADER, _edit(allocation_pct=5))

    assert reply.status == 409
    assert reply.body["contested"] == []
    assert reply.body["theirs"]["version"] == 2
    assert reply.body["theirs"]["changed_by"] == "mei"
    assert reply.body["base"]["settings"]["detail.risk.max_positions"] == 3
    assert reply.body["mine"]["settings"]["allocation_pct"] == 5
    assert configs.existing("steady_long").version == 2

    merged = {"expected_version": 2, "reason": "calmer", "config": reply.body["merged"]}
    assert engine.put(TRADER, merged).status == 200
    flat = configs.existing("steady_long").flat
    assert (flat["allocation_pct"], flat["detail.risk.max_positions"]) == (5, 7)


def test_a_stale_edit_of_the_same_setting_names_it_and_merges_nothing(engine: Engine) -> None:
    save_edit("steady_long", detail__risk__max_positions=7)

    reply = engine.patch(TRADER, _edit(detail__risk__max_positions=5))

    assert (reply.status, reply.body["contested"], reply.body["merged"]) == (409, ["detail.risk.max_positions"], None)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_edit_at_once_one_is_told(engine: Engine) -> None:
    replies = at_once(
        lambda: engine.patch(TRADER, _edit(allocation_pct=5)), lambda: engine.patch(TRADER, _edit(allocation_pct=6))
    )

    assert sorted(reply.status for reply in replies) == [200, 409]
    assert configs.existing("steady_long").version == 2


@pytest.mark.parametrize(
    ("set_", "path", "says"),
    [
        ({"detail.risk.max_positions": 0}, "detail.risk.max_positions", "must be a whole number from 1 to 1000, was 0"),
        ({"detail.risk.max_positions": "5"}, "detail.risk.max_positions", "must be a whole number from 1 to 1000"),
        ({"detail.risk.max_position": 5}, "detail.risk.max_position", "is not a known setting"),
        ({"allocation_pct": 95}, "allocation_pct", "90"),
        ({"detail.cloned_from": {"trader_id": "x", "version": 1}}, "detail.cloned_from", "is kept by the program"),
        ({"detail.description": "nof0_" + "a" * 43}, "detail.description", "history keeps secrets for ever"),
        ({"detail.prompts.system_sha256": "0" * 64}, "detail.prompts.system_template", "one of the stored prompts"),
    ],
)
def test_a_wrong_value_is_refused_at_its_path(engine: Engine, set_: dict[str, Any], path: str, says: str) -> None:
    reply = engine.patch(TRADER, {"expected_version": 1, "reason": "calmer", "set": set_})

    assert reply.status == 422
    assert [problem["path"] for problem in reply.body["problems"]] == [path]
    assert says in reply.body["problems"][0]["message"]
    assert configs.existing("steady_long").version == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"expected_version": 1, "set": {}}, "reason"),
        ({"expected_version": 1, "reason": " ", "set": {"allocation_pct": 5}}, "reason"),
        ({"reason": "calmer", "set": {}}, "expected_version"),
        ({"expected_version": True, "reason": "calmer"}, "expected_version"),
        ({"expected_version": 1, "reason": "calmer", "sett": {}}, "sett"),
        ({"expected_version": 1, "reason": "calmer", "unset": ["detail.extra.x"]}, "detail.extra.x"),
        ([], ""),
    ],
)
def test_a_malformed_edit_is_refused_at_its_field(engine: Engine, body: Any, path: str) -> None:
    reply = engine.patch(TRADER, body)

    assert (reply.status, [problem["path"] for problem in reply.body["problems"]]) == (422, [path])


def test_a_configuration_under_another_id_is_refused(engine: Engine) -> None:
    config = engine.get(TRADER).body["config"] | {"id": "other"}

    reply = engine.put(TRADER, {"expected_version": 1, "reason": "calmer", "config": config})

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, "config.id")


@pytest.mark.parametrize("role", ["system", "executor"])
@pytest.mark.parametrize(
    ("leaf", "value"), [("version", "v9.9.9"), ("template", "prompts/other.tmpl"), ("template", EXECUTOR_PROMPT.path)]
)
def test_a_prompt_is_named_as_its_text_is_known(engine: Engine, role: str, leaf: str, value: str) -> None:
    path = f"detail.prompts.{role}_{leaf}"
    if configs.existing("steady_long").flat[path] == value:
        return
    refused = engine.patch(TRADER, {"expected_version": 1, "reason": "renamed", "set": {path: value}})
    whole = engine.get(TRADER).body["config"]
    whole["detail"]["prompts"][f"{role}_{leaf}"] = value
    replaced = engine.put(TRADER, {"expected_version": 1, "reason": "renamed", "config": whole})

    for reply in (refused, replaced):
        assert (reply.status, [wrong["path"] for wrong in reply.body["problems"]]) == (422, [path])
    assert configs.existing("steady_long").version == 1


def test_a_prompt_is_taken_by_any_path_that_some_trader_knows_it_by(engine: Engine) -> None:
    known_as = {"detail__prompts__system_template": "prompts/copy.tmpl"}
    sync_traders(make_trader("steady_long"), make_trader("swift_short", **known_as))

    reply = engine.patch(TRADER, _edit(**known_as))

    assert reply.status == 200, reply.body
    assert reply.body["version"] == 2


@pytest.mark.parametrize("value", ["/etc/cron.d", "../../../etc", "a/../../b", "~/x", "$HOME/x", "C:\\x", "\\\\host"])
def test_cycle_files_stay_below_the_journal_root(engine: Engine, value: str) -> None:
    reply = engine.patch(TRADER, _edit(detail__journal__dir=value))
    assert (reply.status, [wrong["path"] for wrong in reply.body["problems"]]) == (422, ["detail.journal.dir"])
    assert "must be a path below the journal root" in reply.body["detail"]
    assert configs.existing("steady_long").version == 1
