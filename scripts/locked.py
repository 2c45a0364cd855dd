"""Reads the pins of requirements files and of their locks. Runs on a bare Python, before anything is installed."""

from __future__ import annotations

import re
from pathlib import Path

LOCKS = {"requirements.txt": "requirements.lock", "requirements-dev.txt": "requirements-dev.lock"}
Pins = dict[str, tuple[str, str]]
"""{name in lower case, with hyphens: (version, marker or "")}"""
Hashes = dict[tuple[str, str], list[str]]
"""{(name, version): hashes of all files of the release}"""
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+))?")


def read_pins(path: Path) -> Pins:
    """Those of files that it includes too."""
    pins: Pins = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("-r "):
            pins.update(read_pins(path.parent / line[3:].strip()))
            continue
        found = _PIN.fullmatch(line)
        if found is None:
            raise SystemExit(f"{path}: {line!r} is no pin such as name==1.2.3")
        pins[normal(found["name"])] = found["version"], found["marker"] or ""
    return pins


def read_lock(path: Path) -> Hashes:
    found: Hashes = {}
    for block in blocks(path.read_text(encoding="utf-8")):
        name, version = block.split()[0].split("==")
        found[name, version] = re.findall(r"--hash=(\S+)", block)
    return found


def blocks(text: str) -> list[str]:
    """A pin with its hashes each, comments left out."""
    return [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]


def behind(source: str) -> list[str]:
    """The pins that the lock of this requirements file does not have, and those that it has beside them."""
    wanted = {f"{name}=={version}" for name, (version, _marker) in read_pins(Path(source)).items()}
    stored = {f"{name}=={version}" for name, version in read_lock(Path(LOCKS[source]))}
    return sorted(wanted ^ stored)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
