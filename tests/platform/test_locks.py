"""The locks hold the pins of both requirements files with the hashes of every file, and no place to take them from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import locked
from scripts.locked import LOCKS, behind, blocks, read_lock, read_pins
from tests.platform.processes import CHECKOUT


@pytest.mark.parametrize(("source", "lock"), LOCKS.items())
def test_a_lock_has_every_pin_with_its_marker_and_hashes(source: str, lock: str) -> None:
    pins = read_pins(CHECKOUT / source)
    stored = {}
    for block in blocks((CHECKOUT / lock).read_text(encoding="utf-8")):
        pin, *digests = block.split(" \\\n    ")
        name, version, marker = re.fullmatch(r"([a-z0-9-]+)==([^ ]+)(?: ; (.+))?", pin).groups()  # type: ignore[union-attr]
        assert digests, f"{pin} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest) for digest in digests), pin
        stored[name] = version, marker or ""
    assert stored == pins


@pytest.mark.parametrize("lock", LOCKS.values())
def test_a_lock_names_no_index(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert re.findall(r"^-|--(?!hash)", text, re.MULTILINE) == []


def test_a_package_with_wheels_of_several_platforms_has_the_hashes_of_all() -> None:
    stored = read_lock(CHECKOUT / "requirements.lock")
    counts = {name: len(digests) for (name, _version), digests in stored.items()}
    # Linux and macOS on both processors, Python 3.11 to 3.13, and the source.
    assert min(counts[name] for name in ("msgspec", "psycopg-binary", "pydantic-core", "granian")) > 12


def test_a_lock_that_is_behind_its_requirements_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(locked, "LOCKS", {"requirements.txt": "requirements.lock"})
    Path("requirements.txt").write_text('# what for\nNew_One==1.2\nkept==1; python_version < "3.14"\nchanged==2\n')
    Path("requirements.lock").write_text(
        '# made\nkept==1 ; python_version < "3.14" \\\n    --hash=sha256:aa\nchanged==1\n'
    )
    assert behind("requirements.txt") == ["changed==1", "changed==2", "new-one==1.2"]
