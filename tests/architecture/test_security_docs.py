"""Every threat of docs/security.md, and every fault of docs/reliability.md, names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THREATS = re.split(r"^(?=\d+\. \*\*)", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[
    1:
]
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_there_are_threats_and_they_are_numbered_in_order() -> None:
    assert [int(threat.partition(".")[0]) for threat in THREATS] == list(range(1, len(THREATS) + 1))
    assert len(THREATS) >= 20


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: f"threat-{threat.partition('.')[0]}")
def test_a_threat_names_tests_that_exist(threat: str) -> None:
    named = TEST.findall(threat)
    assert named, f"names no test: {threat.splitlines()[0]}"
    for file, function in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {function or 'test_'}" in text, f"{file} has no {function or 'test'}"


def test_every_fault_of_the_reliability_page_names_tests_that_exist() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| what is broken")
    ]
    assert len(rows) >= 12
    for row in rows:
        assert TEST.search(row), row
        assert [file for file, _ in TEST.findall(row) if not (ROOT / file).exists()] == []
