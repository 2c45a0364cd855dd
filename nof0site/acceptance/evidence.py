"""What proves the lines that a running system cannot measure: tests and benchmarks, with their commit and date.

Nothing here is kept by hand. A benchmark writes date and commit into its own section of docs/benchmarks.md. The commit
of a test is the last one that changed its file: git tells it where it is, else git wrote the commit of the release
into release.txt when it made the archive (`export-subst` in .gitattributes).
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from nof0site.acceptance.rules import LineVerdict, Measured, Proof, failed, not_applicable
from traders.schema.messages import TranslatableText, _, joined, verbatim

GIT_SECONDS = 5
BENCHMARKS = "docs/benchmarks.md"
RESULT = "Result: "
RELEASE = Path(__file__).with_name("release.txt")
_COMMIT_AND_DATE = re.compile(r"([0-9a-f]{7,40}) (\d{4}-\d{2}-\d{2})")
_RUN = re.compile(r"(\d{4}-\d{2}-\d{2}) \d{2}:\d{2} UTC, `[^`]*`(?: at commit ([0-9a-f]{7,40}))?")


@dataclass(frozen=True, slots=True)
class ProofFound:
    """`commit` and `date` are empty where neither git nor the release tells them. `result` is what a benchmark says of
    itself, if it does."""

    commit: str = ""
    date: str = ""
    result: str = ""


NOT_RUN = ProofFound()
"""Of a benchmark whose section holds no run."""


def proven(proofs: tuple[Proof, ...]) -> Measured:
    """Names each proof with its commit and date. A fail where one is gone."""
    found = [(proof, of(proof)) for proof in proofs]
    gone = [proof.name for proof, one in found if one is None]
    figure = (
        joined("; ", [_said(proof, one) for proof, one in found if one is not None])
        if len(gone) < len(found)
        else _("No proof.")
    )
    if gone:
        then = _(
            "Write the test or run the benchmark again, or name the one that took its place: %(names)s.",
            names=", ".join(gone),
        )
        return failed(figure, then)
    if idle := [proof.name for proof, one in found if one is NOT_RUN]:
        why = _("Never run here: `make bench ARGS=%(names)s`.", names=" ".join(idle))
        return not_applicable(figure, why)
    notes = [proof.note for proof in proofs if proof.note]
    return Measured(figure, LineVerdict.PROVEN, joined(" ", notes) if notes else None)


def of(proof: Proof) -> ProofFound | None:
    """None: there is no such test or benchmark. NOT_RUN: there is the section of a benchmark, without a run."""
    return _of_benchmark(proof.name) if proof.is_benchmark else _of_test(proof.name)


def _said(proof: Proof, found: ProofFound) -> TranslatableText:
    what = _("benchmark %(name)s", name=proof.name) if proof.is_benchmark else _("test %(name)s", name=proof.name)
    said = _("%(what)s (commit not known here)", what=what)
    if found.commit:
        said = _("%(what)s (commit %(commit)s, %(date)s)", what=what, commit=found.commit, date=found.date)
    return joined(": ", [said, verbatim(found.result)]) if found.result else said


def _of_test(name: str) -> ProofFound | None:
    path, _sep, function = name.partition("::")
    file = Path(settings.BASE_DIR) / path
    if not (Path(settings.BASE_DIR) / "tests").is_dir():
        # An installation without its tests: the release says what was tested.
        return _of_release()
    if not file.is_file() or f"def {function}(" not in file.read_text(encoding="utf-8"):
        return None
    return _last_change(path)


def _of_benchmark(name: str) -> ProofFound | None:
    page = Path(settings.BASE_DIR) / BENCHMARKS
    lines = page.read_text(encoding="utf-8").splitlines() if page.is_file() else []
    begin = f"<!-- begin {name} -->"
    if begin not in lines:
        return None
    start, end = lines.index(begin) + 1, lines.index(begin.replace("begin", "end"))
    result = next((line for line in lines[start:end] if line.startswith(RESULT)), "")
    for number, line in enumerate(lines[start:end], start + 1):
        if found := _RUN.match(line):
            return ProofFound(found[2] or _written_by(number), found[1], result)
    return NOT_RUN


@cache
def _last_change(path: str) -> ProofFound:
    found = _COMMIT_AND_DATE.fullmatch(_git("log", "-1", "--format=%h %cs", "--", path))
    return ProofFound(found[1], found[2]) if found else _of_release()


@cache
def _written_by(line: int) -> str:
    """The commit that wrote this line of the page."""
    commit = _git("blame", "--porcelain", "-L", f"{line},{line}", "--", BENCHMARKS).partition(" ")[0].strip("0")
    return commit[:9] if commit else _of_release().commit


@cache
def _of_release() -> ProofFound:
    """Git replaced the text of the file where it made an archive of a release."""
    found = _COMMIT_AND_DATE.fullmatch(RELEASE.read_text(encoding="ascii").strip()) if RELEASE.is_file() else None
    return ProofFound(found[1], found[2]) if found else ProofFound()


def _git(*arguments: str) -> str:
    """What git says; empty where there is no git, or no repository of ours."""
    command = ["git", "-C", str(settings.BASE_DIR), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
