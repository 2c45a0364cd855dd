"""The exporter of a running site killed, and its disk filled, seen through /api/health."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.platform.processes import (
    PATIENCE_SECONDS,
    Machine,
    command_of,
    free_port,
    interrupt,
    is_zombie,
    processes_below,
    wait_for,
)

pytestmark = pytest.mark.faults

TOKEN = "a-token-of-enough-letters"


@pytest.fixture
def served() -> Iterator[Machine]:
    parent = Path(tempfile.mkdtemp(prefix="nof0-platform-"))
    parent.chmod(0o755)
    machine = Machine(parent / "data", {"EXPORT_SECONDS": "1", "API_TOKENS": TOKEN})
    try:
        yield machine
    finally:
        machine.clear()
        shutil.rmtree(parent)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="nof0-platform-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        place.rmdir()
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)
    place.rmdir()


def health(port: int) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/health", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.loads(response.read())


def exporter_of(site: subprocess.Popen[str]) -> psutil.Process | None:
    return next((one for one in processes_below(site.pid) if "export_json" in command_of(one)), None)


def zombies_of(site: subprocess.Popen[str]) -> list[psutil.Process]:
    return [one for one in psutil.Process(site.pid).children(recursive=True) if is_zombie(one)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_killed_exporter_starts_again_says_so_once_and_leaves_no_zombie(served: Machine, number: int) -> None:
    port = free_port()
    site, _ = served.serve(port)
    wait_for(lambda: health(port)["status"] == "ok")
    first = exporter_of(site)
    assert first is not None
    as_of = health(port)["export"]["as_of"]
    first.send_signal(number)

    # On a busy machine the second of its pause may pass between two questions.
    wait_for(lambda: (seen := health(port)["exporter"])["state"] == "restarting" or seen["restarts"] == 1)
    assert "exporter" in health(port)["exporter"]["last_error"]
    wait_for(lambda: (second := exporter_of(site)) is not None and second.pid != first.pid)
    wait_for(lambda: health(port)["exporter"]["state"] == "running")
    wait_for(lambda: health(port)["export"]["as_of"] > as_of)
    wait_for(lambda: health(port)["status"] == "ok")
    assert health(port)["exporter"]["restarts"] == 1
    # Those of PostgreSQL are one for a moment whenever they end.
    wait_for(lambda: zombies_of(site) == [])

    os.killpg(site.pid, signal.SIGINT)
    said, _ = site.communicate(timeout=PATIENCE_SECONDS)
    assert said.count("The exporter ") == 1, said
    assert "it starts again in 1 s" in said
    assert served.running() == []


def test_a_full_disk_is_seen_at_once_and_the_exporter_goes_on_when_there_is_room(
    served: Machine, small_disk: Path
) -> None:
    port = free_port()
    served.settings = {**served.settings, "EXPORT_DIR": str(small_disk / "export")}
    site, _ = served.serve(port)
    wait_for(lambda: health(port)["status"] == "ok")

    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    found = health(port)
    assert (found["status"], found["disk"]["state"]) == ("failing", "full")
    wait_for(lambda: "No space left" in (health(port)["exporter"]["last_error"] or ""))
    failed = time.time()

    def goes_on() -> bool:
        """Whether it has said something since."""
        exporter = health(port)["exporter"]
        return bool(exporter["state"] == "running" and time.time() - exporter["age_seconds"] > failed + 2)

    wait_for(goes_on)
    assert health(port)["postgres"]["state"] == "up"

    filler.unlink()
    wait_for(lambda: health(port)["status"] == "ok")
    assert health(port)["exporter"]["restarts"] == 0
    interrupt(site)
