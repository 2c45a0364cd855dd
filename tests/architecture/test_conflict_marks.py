"""No file holds what a merge could not decide: requirements and docs are read by no compiler."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


def test_no_tracked_file_holds_conflict_marks() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert len(files) > 500
    assert [str(path) for path in files if path.is_file() and MARK.search(path.read_bytes())] == []
