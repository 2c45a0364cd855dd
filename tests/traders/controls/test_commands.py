"""The commands `trader` and `fleet`."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.engine_fixtures import place_at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, causes, effect
from traders.models import TraderControl
from traders.schema.cursor import Cursor
from traders.schema.problems import InvalidConfig
from traders.versions.announcements import services as changes
from traders.versions.rules.errors import AheadOfHistory

pytestmark = pytest.mark.django_db
WHY = ("--reason", "because")


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_traders_are_stopped_and_started_by_name() -> None:
    said = run("trader", "stop", TRADER, "quick_short", *WHY, "--actor", "mei")
    assert f"{TRADER}: stop (control " in said
    assert "quick_short is wanted stopped: stopped by mei: because" in said
    assert (effect(), effect("quick_short")) == ("stopped", "stopped")
    run("trader", "start", TRADER, *WHY)
    assert TraderControl.objects.latest("id").actor.startswith("cli:")
    assert effect() == "running"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("drain", TRADER), "drain"),
        (("pause", TRADER, "--for", "30m"), "pause"),
        (("pause", TRADER, "--until", "2090-01-01T00:00Z"), "pause"),
        (("pin", TRADER, "--to", "1"), "pin"),
        (("cooldown", TRADER, "--symbol", "BTC", "--for", "2h"), "cooldown"),
    ],
)
def test_each_verb_asks_for_its_control(arguments: tuple[str, ...], kind: str) -> None:
    run("trader", *arguments, *WHY)
    assert TraderControl.objects.latest("id").kind == kind


def test_what_there_is_not_to_end_is_said() -> None:
    for verb in ("resume", "unpin", "clear"):
        assert "There was nothing to end." in run("trader", verb, TRADER, *WHY)


def test_a_guards_pause_is_resumed_by_its_name() -> None:
    ask("pause", cause="guard:max_daily_loss_usd", actor="guard:max_daily_loss_usd")
    with pytest.raises(CommandError, match="paused by nothing else"):
        run("trader", "resume", TRADER, *WHY)
    run("trader", "resume", TRADER, "--guard", "max_daily_loss_usd", *WHY)
    assert effect() == "running"


def test_json_says_what_was_written_and_what_is_wanted() -> None:
    said = json.loads(run("trader", "pause", TRADER, *WHY, "--json"))
    assert [(one["control"], one["is_new"]) for one in said["controls"]] == [("pause", True)]
    assert said["wanted"][TRADER]["state"] == "entries_banned"


@pytest.mark.parametrize(
    "arguments",
    [
        ("trader", "stop", "nobody", *WHY),
        ("trader", "stop", TRADER),
        ("trader", "halt", TRADER, *WHY),
        ("trader", "close", TRADER, *WHY),
        ("trader", "pin", TRADER, "--to", "9", *WHY),
        ("trader", "pause", TRADER, "--for", "soon", *WHY),
        ("trader", "stop", TRADER, *WHY, "--actor", "guard:x"),
        ("fleet", "stop", *WHY, "--actor", "restore"),
        ("trader", "stop", TRADER, "quick_short", "nobody", *WHY),
        ("trader", "pin", TRADER, "quick_short", "--to", "2", *WHY),
        ("trader", "cooldown", TRADER, "--symbol", "B|C", "--for", "1h", *WHY),
        ("trader", "close", TRADER, "--symbol", "", *WHY),
        ("trader", "resume", TRADER),
        ("fleet", "stop", "--reason", " "),
    ],
)
def test_nonsense_is_refused_and_writes_nothing(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert TraderControl.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("trader", "stop", TRADER, "nobody"), None),
        (("trader", "close", TRADER), ""),
        (("trader", "cooldown", TRADER, "--symbol", "B|C", "--for", "1h"), "symbol"),
    ],
)
def test_a_refusal_is_json_too_where_that_is_asked_for(arguments: tuple[str, ...], path: str | None) -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command(*arguments, *WHY, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["exit_code"], [problem["path"] for problem in told["problems"]]) == (1, [] if path is None else [path])
    assert told["refused"]


def test_many_are_asked_together_and_what_stands_already_is_told() -> None:
    run("trader", "stop", TRADER, *WHY, "--actor", "mei")
    said = json.loads(run("trader", "stop", TRADER, "quick_short", *WHY, "--actor", "mei", "--json"))
    assert [(one["trader_id"], one["is_new"]) for one in said["controls"]] == [(TRADER, False), ("quick_short", True)]


def test_the_fleet_is_stopped_and_released() -> None:
    assert "fleet: stop (control " in run("fleet", "stop", *WHY)
    assert causes() == ["fleet_stop"]
    run("fleet", "release", *WHY)
    assert effect("quick_short", minutes=60) == "running"
    assert run("fleet", "release", *WHY).startswith("fleet: release")
    assert TraderControl.objects.count() == 2


def test_after_a_backup_was_restored_the_fleet_is_stopped_and_lost_cursors_are_refused() -> None:
    place_at_once()
    before = changes.now()
    save_edit(TRADER, detail__risk__max_positions=7)
    # As an engine has it that went on after the backup.
    lost = Cursor(changes.now().position + 3)
    run("fleet", "restored")
    for number in range(4):
        save_edit(TRADER, detail__risk__max_positions=8 + number)

    assert causes() == ["fleet_stop"]
    assert TraderControl.objects.latest("id").actor == "restore"
    assert len(changes.since(before, limit=50).items) == 6
    with pytest.raises(AheadOfHistory):
        changes.since(lost, limit=50)
    for program in ("token:deploy", "guard:fleet_daily_loss"):
        with pytest.raises(InvalidConfig, match="a person releases it"):
            ask_fleet("release", actor=program)
    run("fleet", "release", *WHY)
    assert effect(minutes=60) == "running"
