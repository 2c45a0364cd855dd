"""The commit and date of a proof come from git, from the release, or from the benchmark itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.acceptance import evidence
from nof0site.acceptance.evidence import ProofFound
from nof0site.acceptance.rules import LineVerdict, Proof

TEST = Proof("tests/test_small.py::test_it_holds")
RESULT = "Result: 71 % fewer rows; target 60 %."


@pytest.fixture
def copy(tmp_path: Path, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of two files, without git."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_small.py").write_text("def test_it_holds() -> None:\n    assert True\n")
    (tmp_path / "docs").mkdir()
    run = "2026-11-29 19:46 UTC, `bench` at commit abc1234: 2 cores."
    page = ["<!-- begin speed -->", run, RESULT, "<!-- end speed -->"]
    (tmp_path / "docs" / "benchmarks.md").write_text("\n".join(page))
    monkeypatch.setattr(evidence, "RELEASE", tmp_path / "release.txt")
    for kept in (evidence._last_change, evidence._written_by, evidence._of_release):
        kept.cache_clear()
    return tmp_path


def git(copy: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", str(copy), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(copy: Path) -> str:
    git(copy, "init", "-q")
    git(copy, "add", ".")
    git(copy, "commit", "-q", "-m", "Add a test")
    return git(copy, "log", "-1", "--format=%h %cs")


def test_git_tells_when_a_test_was_changed_last(copy: Path) -> None:
    commit, date = committed(copy).split()

    assert evidence.of(TEST) == ProofFound(commit, date)


def test_an_archive_of_a_release_tells_its_commit(copy: Path) -> None:
    (copy / "release.txt").write_text("0a1b2c3d 2026-12-01\n")

    assert evidence.of(TEST) == ProofFound("0a1b2c3d", "2026-12-01")


def test_git_writes_the_commit_into_the_archive() -> None:
    """The file says so to git; in a working copy it stands as it is."""
    release = Path(evidence.__file__).with_name("release.txt")
    attributes = (Path(evidence.__file__).parents[2] / ".gitattributes").read_text()

    assert release.read_text() == "$Format:%h %cs$\n"
    assert "nof0site/acceptance/release.txt export-subst" in attributes


def test_without_git_and_release_the_commit_is_not_known(copy: Path) -> None:
    (copy / "release.txt").write_text("$Format:%h %cs$\n")

    assert evidence.of(TEST) == ProofFound()
    assert evidence.proven((TEST,)).figure == f"test {TEST.name} (commit not known here)"


def test_a_benchmark_tells_its_own_commit_and_date(copy: Path) -> None:
    found = evidence.proven((Proof("speed", is_benchmark=True),))

    assert found.verdict is LineVerdict.PROVEN
    assert found.figure == f"benchmark speed (commit abc1234, 2026-11-29): {RESULT}"


def test_a_benchmark_that_was_never_run_proves_nothing(copy: Path) -> None:
    (copy / "docs" / "benchmarks.md").write_text("<!-- begin speed -->\n\n<!-- end speed -->\n")
    found = evidence.proven((Proof("speed", is_benchmark=True),))

    assert found.verdict is LineVerdict.NOT_APPLICABLE
    assert found.why == "Never run here: `make bench ARGS=speed`."


@pytest.mark.parametrize(
    "proof",
    [
        Proof("tests/test_small.py::test_it_is_gone"),
        Proof("tests/test_gone.py::test_it_holds"),
        Proof("gone", is_benchmark=True),
    ],
)
def test_a_proof_that_is_gone_fails_by_name(copy: Path, proof: Proof) -> None:
    found = evidence.proven((TEST, proof))

    assert found.verdict is LineVerdict.FAIL
    assert found.then
    assert proof.name in found.then
