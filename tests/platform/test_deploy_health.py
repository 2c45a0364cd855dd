"""The programs of deploy/compose.yaml as processes of this machine, with its settings: each passes its health check,
and fails it once it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from nof0site.embedded.paths import DataPaths
from tests.platform.deploy_files import environment_of, programs
from tests.platform.processes import CHECKOUT, Machine, free_port, wait_for

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 300


@dataclass
class Host:
    """Paths of the containers as directories of a test, and what stands for their other services."""

    machine: Machine
    root: Path
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def prepare(self) -> None:
        for name in ("data", "backups", "secrets"):
            (self.root / name).mkdir()
        sockets = quote(str(DataPaths(self.machine.data_dir).sockets), safe="")
        (self.root / "secrets" / "secret_key").write_text("k" * 60)
        (self.root / "secrets" / "database_url").write_text(f"postgresql://postgres@{sockets}/nof0")

    def here(self, text: str) -> str:
        """A path, port or address of a container as it is on this machine."""
        for inside, outside in (
            ("/run/secrets/", f"{self.root}/secrets/"),
            ("/data", f"{self.root}/data"),
            ("/backups", f"{self.root}/backups"),
            ("/config/", f"{CHECKOUT}/etc/"),
            ("redis://valkey:6379/0", f"unix://{DataPaths(self.machine.data_dir).valkey_socket}?db=0"),
        ):
            if text.startswith(inside):
                return outside + text.removeprefix(inside)
        places = {" /data": f" {self.root}/data", "0.0.0.0": "127.0.0.1", "8000": str(self.port)}
        for inside, outside in places.items():
            text = text.replace(inside, outside)
        return text

    def environment(self, service: Mapping[str, object]) -> dict[str, str]:
        given = environment_of(service, {"ALLOWED_HOSTS": "control.example.com", "WEB_WORKERS": "1"})
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"PATH": path, "DJANGO_SETTINGS_MODULE": "nof0site.settings", "PYTHONPATH": str(CHECKOUT)}
        return own | {name: self.here(value) for name, value in given.items()}

    def start(self, name: str) -> None:
        service = programs()[name]
        process = subprocess.Popen(
            [self.here(str(word)) for word in service["command"]],
            cwd=CHECKOUT,
            env=self.environment(service),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.machine.processes.append(process)
        threading.Thread(target=process.stdout.read if process.stdout else None, daemon=True).start()
        self.running[name] = process

    def is_healthy(self, name: str) -> bool:
        service = programs()[name]
        kind, *words = service["healthcheck"]["test"]
        words = [self.here(str(word)) for word in words]
        if words[-1] == "deploy/answers.py":
            words.append(str(self.port))
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        done = subprocess.run(command, cwd=CHECKOUT, env=self.environment(service), capture_output=True, timeout=120)
        assert self.running[name].poll() is None, f"{name} ended"
        # A check is a process, which takes from what it waits for.
        time.sleep(0.5)
        return done.returncode == 0


def test_each_program_of_compose_passes_its_health_check(new_machine: Machine, tmp_path: Path) -> None:
    new_machine.hold_servers()
    host = Host(new_machine, tmp_path)
    host.prepare()
    order = ["site", *(name for name in programs() if name != "site")]
    for name in order:
        host.start(name)
        assert not host.is_healthy(name), f"{name} is said to be healthy before it can be"
        if name == "site":
            wait_for(lambda: host.is_healthy("site"), PATIENCE_SECONDS)
    for name in order:
        wait_for(lambda name=name: host.is_healthy(name), PATIENCE_SECONDS)

    # A file that is no longer touched is found to be old.
    for name in ("manager-1", "exporter", "alarms"):
        files = {"manager-1": "manager-1.alive", "exporter": "export/status.json", "alarms": "export/alarms.json"}
        host.running[name].send_signal(signal.SIGSTOP)
        wait_for(lambda name=name: psutil.Process(host.running[name].pid).status() == psutil.STATUS_STOPPED)
        path = tmp_path / "data" / files[name]
        os.utime(path, (0, 0))
        assert not host.is_healthy(name)
    for process in host.running.values():
        process.send_signal(signal.SIGCONT)
        process.terminate()
    for name, process in host.running.items():
        assert process.wait(PATIENCE_SECONDS) == 0, name
