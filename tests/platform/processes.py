"""Management commands as processes of their own, on a data directory of their own."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from nof0site.embedded.paths import DataPaths

CHECKOUT = Path(__file__).resolve().parents[2]
# Far more than anything takes: only a test that fails waits for so long.
PATIENCE_SECONDS = 180
# Below those that the system gives to whatever connects or listens at any port, so that none is taken by another
# program between the question and the start of a server. Each process of a run has a range of its own.
_FIRST_PORT, _PORTS, _RANGES = 20_000, 500, 20
# Starts both servers, says so, and stays until its input ends.
HOLD = """
import sys, django; django.setup()
from django.db import connection
from django_redis import get_redis_connection
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_postmaster_start_time()::text")
    started = cursor.fetchone()[0]
run_id = get_redis_connection("default").info("server")["run_id"]
print("using", started, run_id, flush=True)
sys.stdin.read()
"""


AT_WORK = """
SELECT FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'
"""


@dataclass
class Machine:
    """A data directory, and the processes that a test started on it."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        # The browser tests of the same run have set this for themselves.
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "nof0site.settings",
            "NOF0_DATA_DIR": str(self.data_dir),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PYTHONPATH": str(CHECKOUT),
            **self.settings,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Like a terminal's foreground group: Ctrl-C goes to the group, not to the tests.
            process_group=0,
        )
        self.processes.append(process)
        return process

    def manage(self, *arguments: str, seconds: float = PATIENCE_SECONDS) -> subprocess.CompletedProcess[str]:
        process = self.start("manage.py", *arguments)
        output, _ = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(arguments, process.returncode, output)

    def python(self, code: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Run code that can use the site's database, to its successful end."""
        output, _ = (process := self.start("-c", code)).communicate(timeout=seconds)
        assert process.returncode == 0, output
        return output

    def await_idle(self) -> None:
        """Until the server has noticed that a killed client is gone, and ended what it was at. Needs servers that
        run."""
        sockets = DataPaths(self.data_dir).sockets

        def is_idle() -> bool:
            with psycopg.connect(host=str(sockets), user="postgres", dbname="nof0") as link:
                return link.execute(AT_WORK).fetchone() is None

        wait_for(is_idle)

    def hold_servers(self) -> tuple[subprocess.Popen[str], str]:
        """A process that uses both servers, and which servers it saw."""
        process = self.start("-c", HOLD)
        return process, line_with(process, "using ")

    def serve(self, port: int) -> tuple[subprocess.Popen[str], str]:
        """A running site that answers, and what it said until then."""
        process = self.start("manage.py", "serve", "--port", str(port))
        said = line_with(process, "Stop  ", keep_all=True)
        wait_for(lambda: answers(port))
        return process, said

    def running(self) -> list[str]:
        """Every process that works in the data directory."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(self.data_dir):
                    found.append(f"{process.pid} {process.name()}")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def kill_servers(self) -> None:
        """kill -9 of every server process at once, as at a crash of the machine."""
        for entry in self.running():
            # PostgreSQL's workers come and go.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.split()[0]), signal.SIGKILL)

    def kill_servers_of(self, directory: Path) -> None:
        """Only those that work there, such as PostgreSQL's."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if Path(process.cwd()).is_relative_to(directory):
                    process.kill()

    def clear(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                # Those beside the site have process groups of their own, and one that a test suspended keeps the
                # pipe of the output open.
                beside = psutil.Process(process.pid).children(recursive=True)
                os.killpg(process.pid, signal.SIGKILL)
                for one in beside:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()
            process.communicate(timeout=PATIENCE_SECONDS)
        self.kill_servers()
        shutil.rmtree(DataPaths(self.data_dir).sockets, ignore_errors=True)


def line_with(process: subprocess.Popen[str], text: str, *, keep_all: bool = False) -> str:
    """The first line of output that holds the text, or everything up to it."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said if keep_all else line
    raise AssertionError(f"the process ended without {text!r}:\n{said}")


def wait_for(condition: object, seconds: float = PATIENCE_SECONDS) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=60) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError):
        return False


def interrupt(process: subprocess.Popen[str]) -> int:
    """Ctrl-C in the process's terminal; its exit code."""
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode


def _ports() -> Iterator[int]:
    """In turn, so that none is given twice; from another one on in each process, as a run before may still use its
    own. Every second one, because a message may name the next."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _RANGES
    for place in itertools.count(os.getpid()):
        yield _FIRST_PORT + number * _PORTS + 2 * place % _PORTS


_port = _ports()


def free_port() -> int:
    for port in itertools.islice(_port, _PORTS // 2):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def processes_below(pid: int) -> list[psutil.Process]:
    """Its children and theirs that still run, whatever ends meanwhile."""
    return [one for one in psutil.Process(pid).children(recursive=True) if not is_zombie(one) and one.is_running()]


def command_of(process: psutil.Process) -> list[str]:
    """Empty once it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def is_zombie(process: psutil.Process) -> bool:
    """Whether it has ended, and its parent has not asked for its exit code."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def password_in(said: str) -> str:
    found = re.search(r"password (\S+)", said)
    assert found, said
    return found[1]
