"""Recorded decisions are replayed in the environment of their moment, and under any other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import EXECUTOR_PROMPT, SYSTEM_PROMPT, make_file, make_trader, save_edit, sync_traders
from tests.trading.imports.journal_files.cycles import CYCLE, write, write_many
from tests.trading_factories import make_entry
from traders.sync.services import sync
from traders.versions.rules.errors import UnknownConfig, UnknownVersion
from trading.imports.journal_service import import_journal
from trading.models import DecisionJournal
from trading.record.rules.errors import RecordError
from trading.record.writing import decisions
from trading.record.writing.decisions import PAGE
from trading.replay.services import ReplayVerdict, replay, replays
from trading.schema.decision import Prompt
from trading.schema.reject import Reject

pytestmark = pytest.mark.django_db
TRADER = "steady_long"


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync(file=make_file(make_trader()), actor="cli:test")


def refuse_none(reject: Reject) -> None:
    pytest.fail(str(reject))


def imported(directory: Path, **changed: Any) -> int:
    """The id of an engine's cycle, imported."""
    write(directory, **changed)
    import_journal(directory, on_reject=refuse_none)
    return int(DecisionJournal.objects.latest("id").pk)


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("replay_decision", *arguments, stdout=out)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_an_engines_cycle_agrees_with_itself(tmp_path: Path) -> None:
    number = imported(tmp_path)
    found = replay(TRADER, number)
    assert (found.verdict, found.differences, found.unchecked) == (ReplayVerdict.AGREES, (), ())
    assert found.notes == (
        "Not recorded: the raw answer, the cooldowns.",
        f"Only the digest of the prompt that was sent was recorded: {'ab' * 32}.",
    )

    code, text = run(str(number))
    assert code == 0
    assert text.splitlines()[0] == (f"decision {number}  steady_long #1 2026-01-08 10:30:00 UTC, version 1: agrees")
    assert "open_long BTC: was done; passes every rule" in text


def test_the_settings_and_texts_are_those_of_then(tmp_path: Path) -> None:
    number = imported(tmp_path)
    save_edit(TRADER, detail__risk__min_confidence=90)
    found = replay(TRADER, number)

    assert found.verdict is ReplayVerdict.AGREES
    assert found.config is not None
    assert found.config.version == 1
    assert [(prompt.role, prompt.sha256, prompt.text) for prompt in found.prompts] == [
        ("system", SYSTEM_PROMPT.sha256, SYSTEM_PROMPT.body),
        ("executor", EXECUTOR_PROMPT.sha256, EXECUTOR_PROMPT.body),
    ]


def test_what_was_done_against_the_rules_is_a_difference(tmp_path: Path) -> None:
    number = imported(tmp_path, candidates=["SOL"])
    code, text = run(str(number))
    assert code == 1
    assert "difference: actions: open_long BTC passed, and is refused by candidate (BTC is none of" in text


def test_another_version_shows_what_changes_and_is_no_failure(tmp_path: Path) -> None:
    number = imported(tmp_path)
    save_edit(TRADER, detail__risk__min_confidence=90)
    ((judged, change),) = replay(TRADER, number, version=2).changes
    assert (judged.decision.symbol, change.rule, change.before) == ("BTC", "min_confidence", None)

    code, text = run(str(number), "--with-version", "2")
    assert code == 0
    assert "change: open_long BTC: min_confidence passed, now refused (the confidence 85 is below 90)" in text


def test_a_refusal_that_another_version_lifts_is_shown(tmp_path: Path) -> None:
    unsure = CYCLE["decisions_json"].replace("85", "70")
    failed = {**CYCLE["actions"][0], "result": "error", "error": "confidence"}
    number = imported(tmp_path, decisions_json=unsure, actions=[failed], success=False)
    save_edit(TRADER, detail__risk__min_confidence=70)
    assert replay(TRADER, number).verdict is ReplayVerdict.AGREES
    code, text = run(str(number), "--with-version", "2")
    assert code == 0
    assert "min_confidence was refused (the confidence 70 is below 75), now passes" in text


def test_a_manager_yaml_may_give_the_other_settings(tmp_path: Path) -> None:
    number = imported(tmp_path)
    directory = tmp_path / "what_if"
    call_command("export_traders", "--dir", str(directory))
    path = directory / "manager.yaml"
    path.write_text(path.read_text().replace("max_position_size_usd: 500", "max_position_size_usd: 400"))
    code, text = run(str(number), "--with-config", str(path))
    assert code == 0
    assert f"under {path}: refused by max_position_size_usd (450.5 USD is more than 400 USD)" in text

    path.write_text(path.read_text().replace("id: steady_long", "id: somebody_else"))
    with pytest.raises(CommandError, match="has no trader 'steady_long'; it has somebody_else"):
        run(str(number), "--with-config", str(path))


def test_settings_may_be_given_as_they_are(tmp_path: Path) -> None:
    found = replay(TRADER, imported(tmp_path), spec=make_trader(detail__risk__max_position_size_usd=Decimal(1)))
    assert [change.rule for _one, change in found.changes] == ["max_position_size_usd"]
    assert (found.verdict, found.other_name) == (ReplayVerdict.AGREES, "the settings given")


def test_a_decision_from_before_the_first_version_says_so(tmp_path: Path) -> None:
    number = imported(tmp_path, config_version=None)
    found = replay(TRADER, number)
    assert (found.config, found.verdict) == (None, ReplayVerdict.INCOMPLETE)

    code, text = run(str(number))
    assert code == 1
    assert "before v1: incomplete" in text
    assert "there are no settings of its time" in text
    code, text = run(str(number), "--with-version", "1")
    assert code == 0
    assert "under version 1: passes every rule" in text


def test_a_decision_from_before_the_first_version_is_judged_by_another_version(tmp_path: Path) -> None:
    save_edit(TRADER, detail__risk__min_confidence=99)
    number = imported(tmp_path, timestamp="2020-01-08T10:30:00Z", config_version=None)

    found = replay(TRADER, number, version=2)

    (judged,) = found.judged
    assert judged.refusals is None
    assert "min_confidence" in {change.rule for _judged, change in found.changes}
    assert "under version 2: refused by" in run(str(number), "--with-version", "2")[1]
    assert "min_confidence" in run("--trader", TRADER, "--with-version", "2")[1]


def test_a_missing_snapshot_is_no_agreement(tmp_path: Path) -> None:
    number = imported(tmp_path, positions_snapshot=None, account_snapshot=None)
    code, text = run(str(number))
    assert code == 1
    assert "unchecked: open_long BTC: cannot be checked (already_held: the open positions are not known" in text
    assert "note: Not recorded: the raw answer, the account, the positions, the cooldowns." in text


def test_a_prompt_text_that_is_not_stored_and_one_that_was_not_configured_are_told() -> None:
    sync_traders(make_trader(detail__prompts__system_sha256=None))
    number = decisions.record_decision(make_entry(config_version=2, prompt=Prompt(template_sha256="a" * 64))).id
    found = replay(TRADER, number)
    assert [difference.place for difference in found.differences][:1] == ["prompt.template_sha256"]
    assert "The version does not name the text of the system prompt prompts/manager/long.tmpl." in found.notes
    assert f"The text of the sent prompt {'a' * 64} is not stored." in found.notes


def test_a_period_of_a_trader_is_replayed_a_page_at_a_time(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 8, tzinfo=UTC)
    write_many(tmp_path, 2 * PAGE + 3, since=begin)
    import_journal(tmp_path, on_reject=refuse_none)
    found = list(replays(TRADER))
    assert [one.recorded.cycle_number for one in found] == list(range(1, 2 * PAGE + 4))

    some = list(replays(TRADER, since=begin + timedelta(minutes=3), until=begin + timedelta(minutes=9)))
    assert [one.recorded.cycle_number for one in some] == [2, 3]
    code, text = run("--trader", TRADER, "--from", "2026-01-08T00:03Z", "--to", "2026-01-08T00:09Z")
    assert (code, text) == (0, "2 decisions: 2 agree.\n")


def test_of_many_decisions_those_that_differ_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "cycle_1.json")
    write(tmp_path, "cycle_2.json", timestamp="2026-01-08T11:00:00Z", candidates=[])
    import_journal(tmp_path, on_reject=refuse_none)
    code, text = run("--trader", TRADER)
    assert code == 1
    assert text.splitlines()[-1] == "2 decisions: 1 agree, 1 differ."
    assert text.count("\n") == 3

    save_edit(TRADER, detail__risk__min_confidence=90)
    code, text = run("--trader", TRADER, "--with-version", "2")
    assert code == 0
    assert text.splitlines()[-1].endswith("2 would be decided differently under version 2.")


def test_every_decision_of_the_sample_agrees_with_itself() -> None:
    call_command("generate_sample", "--traders", "2", "--days", "4", stdout=StringIO())
    traders = list(DecisionJournal.objects.values_list("trader_id", flat=True).distinct())
    assert len(traders) == 2
    assert {one.verdict for trader_id in traders for one in replays(trader_id)} == {ReplayVerdict.AGREES}


def test_programs_get_one_object_a_decision(tmp_path: Path) -> None:
    number = imported(tmp_path, candidates=["SOL"])
    code, text = run(str(number), "--json")
    found = json.loads(text)
    assert (code, found["verdict"], found["config_version"]) == (1, "differs", 1)
    assert found["differences"][0]["replayed"] == ["candidate"]
    (judged,) = found["decisions"]
    assert judged["refusals"][0]["setting"] == "detail.exec_guards.candidate_limit"
    assert judged["recorded"] == {"ok": True, "refused_by": [], "error": None}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Give the id of a decision, or --trader ID"),
        (["1", "--trader", TRADER], "Give the id of a decision, or --trader ID"),
        (["1", "--from", "2026-01-01"], "--from and --to go with --trader"),
        (["1", "--with-version", "1", "--with-config", "x"], "not both"),
        (["999999999"], "there is no decision 999999999"),
        (["--trader", "nobody"], "there is no trader 'nobody'"),
        (["--trader", TRADER, "--with-version", "9"], "steady_long has no version 9"),
        (["--trader", TRADER, "--with-config", "/nowhere.yaml"], "nowhere.yaml"),
        (["one"], r"must be the number of a decision, or TRADER\|NUMBER, was 'one'"),
        (["nobody|1"], "nobody has no decision 1"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        run(*arguments)


def test_the_service_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        replay(TRADER, 999_999_999)
    with pytest.raises(UnknownVersion):
        replay(TRADER, imported(tmp_path), version=9)
    with pytest.raises(UnknownConfig):
        list(replays("nobody"))
