"""Write requirements.lock and requirements-dev.lock: the pins of both requirements files with hashes. `scripts/lock`.

The hashes are of every file of each release, so that the locks install on each platform and Python. pip-tools asks the
index for them, in the virtual environment that runs this file; pins that a lock has already are not asked again.
Settings of pip on this machine that name other places are set aside, so that no private file is trusted.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.locked import LOCKS, Hashes, Pins, normal, read_lock, read_pins

HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
HEAD = "# Made by `scripts/lock` of {}: change the pins there. The hashes are of every file of each release.\n"


def main() -> None:
    known: Hashes = {}
    for lock in LOCKS.values():
        known |= read_lock(Path(lock)) if Path(lock).exists() else {}
    for source, lock in LOCKS.items():
        pins = read_pins(Path(source))
        asked = {name: pin for name, pin in pins.items() if (name, pin[0]) not in known}
        if asked:
            known |= hashed(asked, pins)
        Path(lock).write_text(HEAD.format(source) + "".join(map(entry, *_sorted(pins, known))), encoding="utf-8")
        print(f"{lock}: {len(pins)} packages, {len(asked)} of them new")


def entry(pin: str, digests: list[str]) -> str:
    return pin + "".join(f" \\\n    --hash={digest}" for digest in digests) + "\n"


def _sorted(pins: Pins, known: Hashes) -> tuple[list[str], list[list[str]]]:
    names = sorted(pins)
    words = [f"{name}=={pins[name][0]}" + (f" ; {pins[name][1]}" if pins[name][1] else "") for name in names]
    return words, [known[name, pins[name][0]] for name in names]


def hashed(asked: Pins, every: Pins) -> Hashes:
    """Markers are left out, so that pins of other Pythons are hashed too. Refuses a package that a pin needs and that
    is not pinned."""
    with tempfile.TemporaryDirectory() as directory:
        source, limits, made = (Path(directory) / name for name in ("pins.in", "all.txt", "pins.txt"))
        limits.write_text(_lines(every), encoding="utf-8")
        source.write_text(f"-c {limits}\n{_lines(asked)}", encoding="utf-8")
        command = [
            *(sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe"),
            *("--strip-extras", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-trusted-host"),
            *("--no-emit-find-links", "--output-file", str(made), str(source)),
        ]
        own = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT")
        environment = {name: value for name, value in os.environ.items() if name not in own}
        if subprocess.run(command, env=environment | {"PIP_CONFIG_FILE": os.devnull}).returncode != 0:
            raise SystemExit("The hashes could not be read; see the lines above.")
        found: Hashes = {}
        for block in re.split(r"\n(?=\S)", made.read_text(encoding="utf-8").strip()):
            name, version = block.split()[0].split("==")
            found[normal(name), version] = HASH.findall(block)
    if missing := sorted(name for name, _version in found if name not in every):
        raise SystemExit(f"Needed by a pin and not pinned: {', '.join(missing)}")
    if without := sorted(name for (name, _version), digests in found.items() if not digests):
        raise SystemExit(f"The index has no hash of {', '.join(without)}")
    return found


def _lines(pins: Mapping[str, tuple[str, str]]) -> str:
    return "".join(f"{name}=={version}\n" for name, (version, _marker) in pins.items())


if __name__ == "__main__":
    main()
