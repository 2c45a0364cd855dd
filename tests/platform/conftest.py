from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.processes import Machine, free_port, interrupt


@pytest.fixture
def new_machine() -> Iterator[Machine]:
    """A machine that has never run the site, with a data directory that scripts like to stumble over."""
    yield from _machine()


@pytest.fixture
def another_machine() -> Iterator[Machine]:
    """A second machine that has never run the site."""
    yield from _machine()


@pytest.fixture
def migrated_machine(migrated_data_dir: Path) -> Iterator[Machine]:
    """A machine whose database has its tables, and no row that a migration did not make."""
    for machine in _machine():
        subprocess.run(["cp", "-a", migrated_data_dir, machine.data_dir], check=True)
        yield machine


@pytest.fixture
def machine(used_data_dir: Path) -> Iterator[Machine]:
    """A machine on which the site has run before."""
    for machine in _machine():
        subprocess.run(["cp", "-a", used_data_dir, machine.data_dir], check=True)
        yield machine


@pytest.fixture(scope="session")
def used_data_dir() -> Iterator[Path]:
    for machine in _machine():
        site, _ = machine.serve(free_port())
        interrupt(site)
        assert machine.running() == []
        yield machine.data_dir


@pytest.fixture(scope="session")
def migrated_data_dir() -> Iterator[Path]:
    for machine in _machine():
        done = machine.manage("migrate", "--verbosity=0", seconds=600)
        assert done.returncode == 0, done.stdout
        assert machine.running() == []
        yield machine.data_dir


def _machine() -> Iterator[Machine]:
    parent = Path(tempfile.mkdtemp(prefix="nof0-platform-"))
    # PostgreSQL runs as somebody else when the tests run as root.
    parent.chmod(0o755)
    machine = Machine(parent / "My Data, ü")
    try:
        yield machine
    finally:
        machine.clear()
        shutil.rmtree(parent)
