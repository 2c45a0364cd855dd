"""Prompts written in the browser: what is stored, who moves, and what the next sync makes of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.factories import save_edit
from tests.traders.prompt_files import DIGEST, HEADER, LONG, PromptFiles, X, Y
from traders.models import PromptText, TraderConfigVersion
from traders.prompt_texts import writer as stored
from traders.prompts import services as prompts
from traders.prompts.rules import PromptFileFate
from traders.schema.problems import InvalidConfig
from traders.sync.conflicts.services import open_conflicts, settle
from traders.versions import services as configs
from traders.versions.bulk.proposal import ChangedMeanwhile
from traders.versions.rules.merge import MergeSide, Preferences

pytestmark = pytest.mark.django_db


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> PromptFiles:
    return PromptFiles(tmp_path, settings)


def fates() -> dict[PromptFileFate, int]:
    uses = [use for use in stored.uses() if use.path == LONG]
    return prompts.fates(uses, prompts.on_disk([LONG]))


def refused(body: str, *, path: str = LONG) -> str:
    with pytest.raises(InvalidConfig) as error:
        prompts.written(path=path, body=body)
    return "\n".join(f"{problem.path} {problem.message}" for problem in error.value.problems)


def test_a_save_stores_the_text_and_makes_a_version_of_each_trader(files: PromptFiles) -> None:
    saved = files.edit("Sell high.\n")

    content = f"{HEADER}Sell high.\n".encode()
    digest = hashlib.sha256(content).hexdigest()
    assert PromptText.objects.get(pk=digest).body.encode() == content
    assert [version.version for version in saved] == [2, 2]
    assert len({version.change_set for version in saved}) == 1
    rows = TraderConfigVersion.objects.filter(version=2)
    assert {(row.source, row.history_user_id, row.history_change_reason) for row in rows} == {
        ("prompt", "mei", "clearer words")
    }
    assert all(row.changed_fields == [DIGEST] for row in rows)
    assert configs.existing(X).flat[DIGEST] == configs.existing(Y).flat[DIGEST] == digest


def test_only_the_chosen_traders_move(files: PromptFiles) -> None:
    files.edit("Sell high.\n", Y)
    assert files.text(X) == "Buy low.\n"
    assert files.text(Y) == "Sell high.\n"


def test_another_path_with_the_same_text_is_left_alone(files: PromptFiles) -> None:
    files.give_second("prompts/other.tmpl")
    old = prompts.existing(configs.existing(X).flat[DIGEST])
    assert old is not None
    new = prompts.written(path=LONG, body=f"{HEADER}Other.\n").prompt
    proposal = prompts.propose(old=old, new=new, trader_ids=[X, Y])
    assert [part.config_id for part in proposal.parts] == [X]
    assert stored.users(LONG, old.sha256) == [X]


def test_one_trader_that_moved_on_keeps_all_from_being_saved(files: PromptFiles) -> None:
    old = prompts.existing(configs.existing(X).flat[DIGEST])
    assert old is not None
    new = prompts.written(path=LONG, body=f"{HEADER}Mine.\n").prompt
    seen = prompts.propose(old=old, new=new, trader_ids=[X, Y]).seen
    files.edit("Theirs.\n", Y)

    with pytest.raises(ChangedMeanwhile) as error:
        prompts.save(old=old, new=new, trader_ids=[X, Y], seen=seen, reason="mine", actor="lee")

    assert list(error.value.contested) == [Y]
    assert configs.existing(X).version == 1
    assert prompts.existing(new.sha256) is None


def test_an_edit_of_something_else_since_the_preview_is_kept(files: PromptFiles) -> None:
    old = prompts.existing(configs.existing(X).flat[DIGEST])
    assert old is not None
    new = prompts.written(path=LONG, body=f"{HEADER}Mine.\n").prompt
    seen = prompts.propose(old=old, new=new, trader_ids=[X]).seen
    save_edit(X, detail__risk__max_positions=9)

    prompts.save(old=old, new=new, trader_ids=[X], seen=seen, reason="mine", actor="lee")

    flat = configs.existing(X).flat
    assert (flat["detail.risk.max_positions"], flat[DIGEST]) == (9, new.sha256)


def test_line_ends_of_the_browser_become_those_of_the_old_text() -> None:
    typed = f"{HEADER}one\ntwo\n".replace("\n", "\r\n")
    unix = prompts.written(path=LONG, body=typed).prompt
    assert unix.body == f"{HEADER}one\ntwo\n"
    dos = prompts.written(path=LONG, body=typed, like=unix.__class__("0" * 64, LONG, "", "a\r\nb")).prompt
    assert dos.body == typed
    assert dos.sha256 == hashlib.sha256(typed.encode()).hexdigest()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "path is required"),
        ("/etc/passwd", "is absolute"),
        ("../secrets.tmpl", "leads out of it"),
        ("prompts/${NAME}.tmpl", "holds a variable"),
        ("prompts/", "names a directory"),
        ("prompts/a\x07b.tmpl", "must not hold control characters"),
        ("p" * 501, "at most 500 characters, was 501"),
    ],
)
def test_a_path_is_held_to_the_rules_of_a_file(path: str, problem: str) -> None:
    assert problem in refused(f"{HEADER}Buy.\n", path=path)


def test_a_text_is_held_to_the_rules_of_a_file(files: PromptFiles) -> None:
    assert "a prompt without a text asks for nothing" in refused(" \n")
    assert "holds a NUL byte" in refused(f"{HEADER}a\0b")
    assert "larger than 1 MB" in refused(HEADER + "x" * 1024 * 1024)
    assert "what looks like a GitHub token" in refused(f"{HEADER}ghp_{'a1B2' * 9}")
    assert "of version v9, but executor.yaml expects v1.0.0" in refused("{{/* Version: v9 */}}\n")
    assert "no header such as {{/* Version: v1.0.0 */}}" in refused("Buy.\n")
    assert "longer than 100 characters" in refused(f"{{{{/* Version: {'v' * 101} */}}}}\n")


def test_a_lenient_executor_yaml_lets_a_version_pass_with_a_doubt(files: PromptFiles) -> None:
    (files.file.parent / "executor.yaml").write_text("prompt_schema_version: v1.0.0\n")
    doubt = prompts.written(path=LONG, body="Buy.\n").doubt
    assert str(doubt).startswith(", which has no header")


def test_a_new_text_serves_nobody_until_it_is_chosen(files: PromptFiles) -> None:
    text = prompts.written(path="prompts/new.tmpl", body=f"{HEADER}New.\n").prompt
    prompts.create(text=text, reason="an idea")
    assert prompts.existing(text.sha256) == text
    assert stored.uses([text.sha256]) == []
    with pytest.raises(InvalidConfig, match=r"is stored already, as prompts/new.tmpl v1.0.0"):
        prompts.create(text=text, reason="again")


def test_a_reason_is_asked_before_anything_is_stored(files: PromptFiles) -> None:
    with pytest.raises(InvalidConfig, match="reason"):
        files.edit("Sell high.\n", reason=" ")
    assert PromptText.objects.count() == 2


def test_file_and_text_are_the_same_after_a_sync(files: PromptFiles) -> None:
    assert fates() == {PromptFileFate.SAME: 2}


def test_a_changed_file_is_said_to_come_and_comes(files: PromptFiles) -> None:
    files.write("From the file.\n")
    assert fates() == {PromptFileFate.FILE_COMES: 2}

    report = files.sync()

    assert not report.open_conflicts
    assert files.text(X) == files.text(Y) == "From the file.\n"
    assert fates() == {PromptFileFate.SAME: 2}


def test_a_text_changed_in_the_browser_alone_is_said_to_stay_and_stays(files: PromptFiles) -> None:
    files.edit("From the browser.\n")
    assert fates() == {PromptFileFate.STAYS: 2}

    files.sync()

    assert files.text(X) == files.text(Y) == "From the browser.\n"
    assert fates() == {PromptFileFate.STAYS: 2}


def test_both_changed_is_said_to_be_a_conflict_and_is_one(files: PromptFiles) -> None:
    files.edit("From the browser.\n", X)
    files.write("From the file.\n")
    assert fates() == {PromptFileFate.CONFLICT: 1, PromptFileFate.FILE_COMES: 1}

    report = files.sync()

    assert {name for name, _path in report.open_conflicts} == {X}
    assert (files.text(X), files.text(Y)) == ("From the browser.\n", "From the file.\n")
    assert fates() == {PromptFileFate.CONFLICT: 1, PromptFileFate.SAME: 1}


@pytest.mark.parametrize(
    ("side", "text", "after"),
    [
        (MergeSide.YAML, "From the file.\n", PromptFileFate.SAME),
        (MergeSide.DB, "From the browser.\n", PromptFileFate.STAYS),
    ],
)
def test_the_conflict_is_decided_at_the_sync_or_afterwards(
    files: PromptFiles, side: MergeSide, text: str, after: PromptFileFate
) -> None:
    files.edit("From the browser.\n")
    files.write("From the file.\n")
    files.sync(Preferences(by_path={f"{X}:{DIGEST}": side}))
    choices = {(conflict.config_id, conflict.path): side for conflict in open_conflicts()}
    settle(choices=choices, reason="agreed", actor="mei", expected_versions={Y: configs.existing(Y).version})

    assert not open_conflicts()
    assert files.text(X) == files.text(Y) == text
    assert fates() == {after: 2}


def test_a_trader_of_another_file_is_said_not_to_be_reached_and_is_not(files: PromptFiles) -> None:
    flat = configs.existing(Y).flat
    leaves = ("template", "version", "sha256")
    save_edit(Y, **{f"detail.prompts.system_{leaf}": flat[f"detail.prompts.executor_{leaf}"] for leaf in leaves})
    (files.file.parent / "prompts/executor.tmpl").write_text(f"{HEADER}Decide now.\n")
    uses = [use for use in stored.uses() if use.sha256 == configs.existing(Y).flat[DIGEST]]
    assert prompts.fates(uses, prompts.on_disk([use.path for use in uses]))[PromptFileFate.NOT_NAMED] == 1

    files.sync()

    assert files.text(Y) == "Decide.\n"


def test_a_file_that_cannot_be_read_says_why(files: PromptFiles) -> None:
    files.prompt.unlink()
    file = prompts.on_disk([LONG])[LONG]
    assert file.text is None
    assert "there is no file" in str(file.problem)
    assert fates() == {}
